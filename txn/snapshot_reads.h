// SnapshotReads: reads at one timestamp at a gateway (TX-READ-ONLY, TX-STALE).
//
// Timestamp:   is chosen with the first read, on this node's clock; but by the replica that answers
//              first, for a bounded staleness, and for the only read of one group.
// Concurrency: one loop, and one call at a time.
#ifndef TXN_SNAPSHOT_READS_H_
#define TXN_SNAPSHOT_READS_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "txn/gateway_core.h"
#include "txn/read_only.h"

namespace txn {

class SnapshotReads final : public ReadOnly {
 public:
  SnapshotReads(GatewayCore* core, ReadBound bound) : core_(*core), bound_(bound) {}

  std::optional<runtime::Timestamp> timestamp() const override { return timestamp_; }

  runtime::Task<absl::StatusOr<Values>> Get(std::vector<Key> keys) override;
  runtime::Task<absl::StatusOr<ScanPage>> Scan(ScanQuery query) override;

 private:
  using Rows = std::map<Key, std::optional<std::string>>;

  // Errors are refusals from here on.
  runtime::Task<absl::Status> Fetch(std::set<Key> keys, MonotonicTime deadline, Rows* rows);
  runtime::Task<absl::Status> FetchFrom(ReplicaRead read, MonotonicTime deadline, Rows* rows,
                                        std::set<Key>* missing);
  // Which may choose the timestamp.
  runtime::Task<absl::StatusOr<ReplicaRows>> Read(ReplicaRead read, MonotonicTime deadline);
  // At which time a read of a group asks, which is all that is read if `alone`.
  absl::StatusOr<ReplicaRead> ReadOf(storage::GroupId group, bool alone);

  GatewayCore& core_;
  const ReadBound bound_;
  std::optional<runtime::Timestamp> timestamp_;
};

}  // namespace txn

#endif  // TXN_SNAPSHOT_READS_H_
