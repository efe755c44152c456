// Participant: what a shard's leader does for the transactions that lock here: locks and locked
// reads, phase 1 of two-phase commit, and its end (TX-LOCKS, TX-EPOCH, TX-2PC, TX-READ-GUARD).
//
// Place:       a part of each replica's Shard; it works while the replica leads, from Begin() to
//              End(), and remembers nothing beyond that: what matters is in the group's log.
// States:      of a transaction here, in one ballot:
//
//                  Enter()         Prepare(), or the coordinator's commit      outcome applied
//      unknown ------------> open -------------------------------> committing ---------> ended
//                             |     Release(), silence, a wound                            ^
//                             +------------------------------------------------------------+
//
// Late:        those that ended lately are remembered with the reason, so that a message that comes
//              late does not begin them anew.
// Guards:      a committing reader's locks end with Release(), or when its guard has passed: what
//              is written after that gets a later timestamp (TX-READ-GUARD).
// In doubt:    who is prepared and hears nothing asks the coordinator's group, also after a restart
//              (TX-2PC).
// Errors:      refusal.h.
// Concurrency: one loop.
// Paper:       Corbett et al. 2012, 4.2.1.
#ifndef TXN_PARTICIPANT_H_
#define TXN_PARTICIPANT_H_

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "txn/attempt.h"
#include "txn/leader_locks.h"
#include "txn/read_rows.h"
#include "txn/service.pb.h"
#include "txn/shard_context.h"

namespace txn {

class Participant {
 public:
  // Both outlive it. Its tasks run in `scope`.
  Participant(const ShardContext* context, storage::GroupId group, runtime::TaskScope* scope);

  // --- The lead ---

  void Begin(paxos::Ballot ballot, const std::map<TransactionId, PreparedTable::Entry>& prepared);
  void End();
  // The transaction has an outcome here.
  void HasEnded(const Ended& ended);
  // Frees what is silent or past its guard, and asks for outcomes. To be called now and then.
  void LookAround(const GroupPtr& group);

  // --- Asked by gateways and coordinators ---

  runtime::Task<absl::StatusOr<isochron::txn::AccessReply>> Access(
      GroupPtr group, isochron::txn::AccessRequest request);
  absl::Status Prepare(const GroupPtr& group, isochron::txn::PrepareRequest request);
  // It has ended, or was given up. Whoever is prepared stays so.
  absl::Status Release(const GroupPtr& group, const TransactionId& id);
  absl::Status KeepAlive(const GroupPtr& group, const Attempt& attempt) {
    return Enter(group, attempt);
  }
  // Applies the coordinator's outcome; ends when it stands in the log and its rows can be read.
  static runtime::Task<absl::Status> Resolve(const ShardContext* context, GroupPtr group,
                                             TransactionId id, Outcome outcome);

  // --- For the coordinator of the same shard ---

  // Begins or goes on with a transaction here, or says why it cannot (TX-EPOCH).
  absl::Status Enter(const GroupPtr& group, const Attempt& attempt);
  // After Enter().
  runtime::Task<absl::StatusOr<runtime::Duration>> TakeLocks(GroupPtr group, Attempt attempt,
                                                             std::vector<Lock> locks,
                                                             runtime::Duration wait_max);
  // Checks that all that is written here is locked, and makes it safe from wounds.
  absl::Status BeginCommit(const TransactionId& id, const std::vector<Write>& writes);
  // Ends a transaction here that has no outcome in the log.
  void GiveUp(const TransactionId& id, const std::string& why);
  bool IsOpen(const TransactionId& id) const { return open_.contains(id); }
  const std::optional<paxos::Ballot>& ballot() const { return locks_.ballot(); }
  // The ballot to which a proposal is bound that rests on locks of `ballot`.
  std::optional<paxos::Ballot> Epoch(paxos::Ballot ballot) const {
    return checks_epoch_ ? std::optional(ballot) : std::nullopt;
  }

  // For views. Null: this replica does not lead.
  const LockTable* lock_table() const { return locks_.ballot() ? &locks_.table() : nullptr; }

 private:
  absl::Status NotLeading(const GroupPtr& group) const;

  struct Open {
    MonotonicTime heard_at;
    bool committing = false;
    // Of a reader that commits: see Guards.
    std::optional<runtime::Timestamp> guarded_until = {};
  };
  struct Doubt {
    MonotonicTime ask_at;
    bool asking = false;
  };

  absl::Status CheckInShard(const GroupPtr& group, const std::vector<Lock>& locks) const;
  void Remember(const TransactionId& id, const std::string& why);
  // The rows that it has locked, the newest there are.
  runtime::Task<absl::StatusOr<RowsFound>> Read(GroupPtr group, TransactionId id,
                                                RowsWanted wanted);
  runtime::Task<void> RunPrepare(GroupPtr group, paxos::Ballot ballot, txn::Prepare prepare,
                                 runtime::NodeId coordinator_node,
                                 isochron::txn::ReportRequest report);
  // Logs the writes; the prepare timestamp.
  runtime::Task<absl::StatusOr<runtime::Timestamp>> LogPrepare(GroupPtr group, paxos::Ballot ballot,
                                                               txn::Prepare prepare);
  // Whether it has locked more than it writes.
  bool HoldsBesides(const TransactionId& id, const std::vector<Write>& writes) const;
  // Promises that nothing that conflicts with its read locks is written at or below the result.
  absl::StatusOr<runtime::Timestamp> Guard(const GroupPtr& group) const;
  // `prepared`: there is something in the log that an outcome is to end.
  runtime::Task<void> Report(GroupPtr group, runtime::NodeId coordinator_node,
                             isochron::txn::ReportRequest report, bool prepared);
  runtime::Task<void> Inquire(GroupPtr group, TransactionId id, storage::GroupId coordinator);

  const ShardContext& context_;
  const storage::GroupId group_;
  runtime::TaskScope& scope_;
  // TX-EPOCH, off in experiments only.
  const bool checks_epoch_;
  LeaderLocks locks_;
  std::map<TransactionId, Open> open_;
  std::map<TransactionId, std::string> ended_;  // With the reasons.
  std::deque<TransactionId> ended_order_;
  std::map<TransactionId, Doubt> doubts_;
};

}  // namespace txn

#endif  // TXN_PARTICIPANT_H_
