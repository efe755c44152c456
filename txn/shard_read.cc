#include "txn/shard_read.h"

#include <algorithm>

#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "txn/kernel/lock_conflict.h"

namespace txn {

bool ShardRead::Covers(const KeyRange& range) const {
  return std::ranges::any_of(ranges_, [&](const KeyRange& one) { return one.Contains(range); });
}

absl::StatusOr<std::vector<std::optional<storage::Cell>>> ShardRead::Get(
    const std::vector<Key>& keys) {
  std::vector<std::optional<storage::Cell>> cells;
  cells.reserve(keys.size());
  for (const Key& key : keys) {
    CHECK(Covers(PointRange(key))) << PrintKeys(PointRange(key)) << " was not asked for";
    ASSIGN_OR_RETURN(cells.emplace_back(), view_.Get(key, at_));
  }
  return cells;
}

absl::StatusOr<storage::ScanResult> ShardRead::Scan(const KeyRange& range,
                                                    const ScanOptions& options) {
  CHECK(Covers(range)) << PrintKeys(range) << " was not asked for";
  return view_.Scan({.range = range,
                     .at = at_,
                     .order = options.order,
                     .rows_max = options.rows_max,
                     .bytes_max = options.bytes_max});
}

}  // namespace txn
