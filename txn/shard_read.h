// ShardRead: the rows of a shard at one timestamp, to be read away from the loop.
//
//   ASSIGN_OR_RETURN(ShardRead read, machine->NewRead({range}, at, group->PaxosSafeTime()));
//   auto cells = co_await RunBlocking(&world.blocking(), [&read] { return read.Get(keys); });
//
// Guarantee:   it was checked that nothing can be written to these ranges at or below the timestamp
//              any more (TX-SAFE-TIME), and that its versions are still there: so every read of one
//              ShardRead, and of any other one at the same timestamp, on any replica, sees the same.
//              The leader's reads of the newest state rest on its lease besides, which whoever
//              answers checks last (Group::CheckLease()).
// Concurrency: as storage::View: synchronous, may wait for the disk, one thread at a time; not kept
//              for long.
#ifndef TXN_SHARD_READ_H_
#define TXN_SHARD_READ_H_

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/view.h"
#include "txn/kernel/lock.h"

namespace txn {

using runtime::Timestamp;

class ShardRead {
 public:
  struct ScanOptions {
    storage::ScanOrder order = storage::ScanOrder::kForward;
    // See storage::ScanRequest.
    size_t rows_max = 1000;
    size_t bytes_max = 1 << 20;
  };

  // For ShardMachine::NewRead(), which checks first.
  ShardRead(storage::View view, std::vector<KeyRange> ranges, Timestamp at)
      : view_(std::move(view)), ranges_(std::move(ranges)), at_(at) {}

  Timestamp at() const { return at_; }

  // The rows of keys; none for each that was not there. CHECKs that all are in the ranges.
  absl::StatusOr<std::vector<std::optional<storage::Cell>>> Get(const std::vector<Key>& keys);
  // The rows of a range, as far as the limits reach. CHECKs that it is in one of the ranges.
  absl::StatusOr<storage::ScanResult> Scan(const KeyRange& range, const ScanOptions& options);

 private:
  bool Covers(const KeyRange& range) const;

  storage::View view_;
  std::vector<KeyRange> ranges_;
  Timestamp at_;
};

}  // namespace txn

#endif  // TXN_SHARD_READ_H_
