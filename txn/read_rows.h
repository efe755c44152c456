// What one request reads of a shard, keys or a range of them, and how: away from the loop.
#ifndef TXN_READ_ROWS_H_
#define TXN_READ_ROWS_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/blocking.h"
#include "runtime/task.h"
#include "storage/view.h"
#include "txn/shard_read.h"
#include "txn/transaction.h"

namespace txn {

struct RowsWanted {
  std::vector<Key> get = {};
  std::optional<ScanQuery> scan = {};

  // All keys that are looked at.
  std::vector<KeyRange> ranges() const;
  bool empty() const { return get.empty() && !scan; }
};

struct RowsFound {
  std::vector<std::optional<storage::Cell>> cells = {};  // One for each key of `get`.
  storage::ScanResult scanned = {};
};

runtime::Task<absl::StatusOr<RowsFound>> ReadRows(runtime::Blocking* blocking, ShardRead read,
                                                  RowsWanted wanted);

}  // namespace txn

#endif  // TXN_READ_ROWS_H_
