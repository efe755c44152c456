// LeaderLocks: the lock table of a shard's leader, for those who wait for locks (TX-LOCKS, TX-EPOCH).
//
//   CO_ASSIGN_OR_RETURN(Duration waited, co_await locks.Acquire(id, age, {lock}, 2s));
//
// Place:       one for each replica of a shard, used by its participant. Between Begin() and End(),
//              while the replica leads under one ballot, it has a table; otherwise nothing is granted.
// Waiting:     a request ends when it is granted, when the transaction is wounded or ends, when its
//              time is up, when the ballot is over, or with its task.
// Concurrency: one loop.
#ifndef TXN_LEADER_LOCKS_H_
#define TXN_LEADER_LOCKS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/kernel/ballot.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/kernel/lock_table.h"
#include "txn/kernel/prepared_table.h"

namespace txn {

class LeaderLocks {
 public:
  LeaderLocks(storage::GroupId group, LockTableOptions options, KeyPrinter print_keys);

  // --- The ballot ---

  // Begins with the locks of what is prepared (TX-EPOCH).
  void Begin(paxos::Ballot ballot, const std::map<TransactionId, PreparedTable::Entry>& prepared);
  void End();
  // Under which there is a table.
  const std::optional<paxos::Ballot>& ballot() const { return ballot_; }

  // --- While there is a table; CHECKs that ---

  // How long it waited. Refusals: kAborted with the reason, when it was wounded or has ended, or its
  // time is up; kOverloaded; kNotLeader, when the ballot is over; kInvalid, of a prepared transaction.
  runtime::Task<absl::StatusOr<runtime::Duration>> Acquire(TransactionId id, Age age,
                                                           std::vector<Lock> wants,
                                                           runtime::Duration wait_max);
  // From now on it cannot be wounded. Refused as kAborted if it was, and as kInvalid if it waits.
  absl::Status MarkPrepared(const TransactionId& id);
  void Release(const TransactionId& id);
  // OK, or kAborted with the reason.
  absl::Status CheckNotWounded(const TransactionId& id) const;
  bool Holds(const TransactionId& id, const Lock& lock) const { return table_->Holds(id, lock); }
  const LockTable& table() const { return *table_; }

 private:
  struct Waiting;  // One request; lives in the frame of Acquire().

  void PassOnEffects();
  absl::Status GiveUp(RequestId request);
  absl::Status Lost(const TransactionId& id) const;
  absl::Status Aborted(const LockConflict& conflict) const;

  const storage::GroupId group_;
  const LockTableOptions options_;
  const KeyPrinter print_keys_;
  std::optional<paxos::Ballot> ballot_;
  std::optional<LockTable> table_;  // Invariant: it is there with the ballot.
  std::map<RequestId, Waiting*> waiting_;
  uint64_t last_request_ = 0;
};

}  // namespace txn

#endif  // TXN_LEADER_LOCKS_H_
