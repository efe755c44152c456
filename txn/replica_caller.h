// ReplicaCaller: reads at whichever replica of a group can probably answer first (TX-READ-ONLY,
// TX-STALE).
//
// Place:       one at each gateway. The replica of the same node is asked without the network.
// Order:       by Nearest. A replica that cannot answer, or has not answered after `hedge_after`, is
//              followed by the next one; the first good answer wins. The leader waits for a
//              timestamp to become safe, the others only for as long as they are probably behind.
// Errors:      refusals: kTooOld, kWrongRange and kInvalid are final; kNotNow when the deadline has
//              come, with what went wrong last.
// Concurrency: one loop.
#ifndef TXN_REPLICA_CALLER_H_
#define TXN_REPLICA_CALLER_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "truetime/truetime.h"
#include "txn/gateway.h"
#include "txn/group_caller.h"
#include "txn/nearest.h"
#include "txn/replica_reads.h"
#include "txn/shard_map.h"

namespace txn {

class ReplicaCaller {
 public:
  // All outlive it; `local` may be null.
  ReplicaCaller(runtime::World* world, truetime::TrueTime* truetime, const ShardMap* map,
                GroupCaller* leaders, ReplicaReads* local, const GatewayOptions& options)
      : world_(*world),
        truetime_(*truetime),
        map_(*map),
        leaders_(*leaders),
        local_(local),
        options_(options) {}
  ReplicaCaller(const ReplicaCaller&) = delete;
  ReplicaCaller& operator=(const ReplicaCaller&) = delete;

  runtime::Task<absl::StatusOr<ReplicaRows>> Read(ReplicaRead read, MonotonicTime deadline);

 private:
  using Candidates = std::vector<Nearest::Candidate>;
  struct Race;

  bool Leads(storage::GroupId group) const;
  Candidates CandidatesFor(const ReplicaRead& read, const ShardLocation& location,
                           bool all_wait) const;
  runtime::Task<absl::StatusOr<ReplicaRows>> ReadNewest(ReplicaRead read, MonotonicTime deadline);
  // One round: each candidate is asked once, until one has answered.
  runtime::Task<absl::StatusOr<ReplicaRows>> Hedged(ReplicaRead read, Candidates candidates,
                                                    MonotonicTime deadline);
  runtime::Task<void> Run(Race* race, Nearest::Candidate candidate, MonotonicTime deadline);
  runtime::Task<absl::StatusOr<ReplicaRows>> Ask(runtime::NodeId node, ReplicaRead read,
                                                 runtime::Duration timeout);
  void Learn(const ReplicaRead& read, runtime::NodeId node, MonotonicTime asked,
             const absl::StatusOr<ReplicaRows>& rows);

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  const ShardMap& map_;
  GroupCaller& leaders_;
  ReplicaReads* const local_;
  const GatewayOptions options_;
  Nearest nearest_;
};

}  // namespace txn

#endif  // TXN_REPLICA_CALLER_H_
