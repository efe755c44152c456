#include "txn/read_rows.h"

#include <utility>

#include "runtime/status_macros.h"

namespace txn {
namespace {

absl::StatusOr<RowsFound> ReadNow(ShardRead* read, const RowsWanted& wanted) {
  RowsFound found;
  if (!wanted.get.empty()) {
    ASSIGN_OR_RETURN(found.cells, read->Get(wanted.get));
  }
  if (wanted.scan) {
    ASSIGN_OR_RETURN(found.scanned,
                     read->Scan(wanted.scan->range,
                                {.order = wanted.scan->backward ? storage::ScanOrder::kReverse
                                                                : storage::ScanOrder::kForward,
                                 .rows_max = wanted.scan->rows_max,
                                 .bytes_max = wanted.scan->bytes_max}));
  }
  return found;
}

}  // namespace

std::vector<KeyRange> RowsWanted::ranges() const {
  std::vector<KeyRange> ranges;
  ranges.reserve(get.size() + 1);
  for (const Key& key : get) ranges.push_back(PointRange(key));
  if (scan) ranges.push_back(scan->range);
  return ranges;
}

runtime::Task<absl::StatusOr<RowsFound>> ReadRows(runtime::Blocking* blocking, ShardRead read,
                                                  RowsWanted wanted) {
  auto shared =
      std::make_shared<std::pair<ShardRead, RowsWanted>>(std::move(read), std::move(wanted));
  co_return co_await runtime::RunBlocking(
      blocking, [shared] { return ReadNow(&shared->first, shared->second); });
}

}  // namespace txn
