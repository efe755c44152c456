// ShardState: what a shard's group replicates besides its rows, and what each command does to both:
// the same on every replica, whatever batches the commands come in.
//
// Place:       a part of ShardMachine, which gives it commands in the order of the log. It reads old
//              outcomes from the store, and says in a batch what is to be written.
// States:      of one transaction in one group, with the commands that lead there:
//
//                      Prepare              Resolve           Trim, and nobody waits
//      nothing known ------------> prepared ---------> ended -----------------------> too old
//         |     |                                        ^                               ^
//         |     +----------------------------------------+                               |
//         |        Commit, Decide, Abort, Resolve (an abort)                             |
//         +------------------------------------------------------------------------------+
//                                          Trim
//
// Invariants:  (1) A transaction that has ended stays so, with the same outcome (TX-ONCE); one that
//              is forgotten gets no outcome any more. (2) Who is prepared is ended by a Resolve and
//              by nothing else (TX-2PC). (3) Rows are written at the commit timestamp, once. (4) No
//              commit is above `valid_through` (TX-READ-GUARD), or outside of the shard's range.
//              (5) The state after a slot is a function of the commands up to it: what was read from
//              the store is corrected by what the batch under way has changed.
// Broken:      a commit that reaches a group which did not prepare it, has aborted it, or knows
//              another timestamp, means that data is lost already. Then the process stops.
// Crash:       everything stands in the group's own state (shard_records.h) and is read by Restore().
// Concurrency: one loop. It does not wait, but may read the disk: for outcomes of transactions that
//              began long ago, and for Trim.
// Paper:       Corbett et al. 2012, 4.2.1. Differences: outcomes are kept by transaction id, for
//              repeated requests, and forgotten by the age of the id.
#ifndef TXN_SHARD_STATE_H_
#define TXN_SHARD_STATE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/apply_batch.h"
#include "storage/store.h"
#include "storage/view.h"
#include "txn/commands.h"
#include "txn/kernel/outcomes.h"
#include "txn/kernel/prepared_table.h"

namespace txn {

// A transaction was prepared.
struct BecamePrepared {
  PreparedTable::Entry transaction;
};

// A transaction has ended.
struct Ended {
  TransactionId id;
  Outcome outcome;
  bool was_prepared = false;
  std::vector<Key> written = {};  // By a commit.
};

using ShardChange = std::variant<BecamePrepared, Ended>;

class ShardState {
 public:
  // `founding`: what the group was created with, if this replica is of those. Counts while the store
  // has nothing of it; without a generation the store's applied state has to say it.
  ShardState(storage::GroupId group, ShardDescriptor founding, size_t recent_outcomes_max);
  ShardState(const ShardState&) = delete;
  ShardState& operator=(const ShardState&) = delete;

  // Reads all of it from `store`, which is good until the next Restore() or the last call.
  absl::Status Restore(storage::Store* store);

  // --- A batch ---

  // Adds to `batch` what the command of this timestamp changes. An error is the store's trouble:
  // Restore() follows.
  absl::StatusOr<CommandResult> Apply(ShardCommand command, Timestamp t,
                                      storage::ApplyBatch* batch);
  // Adds what is written once for all commands of the batch.
  void Finish(storage::ApplyBatch* batch);
  // The batch is in the store. What it changed, in the order of the commands.
  std::vector<ShardChange> Written();

  // --- What is known, with the batch under way ---

  const ShardDescriptor& descriptor() const { return descriptor_; }
  // Ascending by id.
  const std::map<TransactionId, PreparedTable::Entry>& prepared() const { return prepared_; }
  const Outcomes& outcomes() const { return outcomes_; }
  // None: there is none, or it is forgotten.
  absl::StatusOr<std::optional<Outcome>> OutcomeOf(const TransactionId& id);

 private:
  absl::StatusOr<CommandResult> Apply(Commit* commit, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Prepare* prepare, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Decide* decide, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Abort* abort, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Resolve* resolve, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Forget* forget, Timestamp t);
  absl::StatusOr<CommandResult> Apply(Trim* trim, Timestamp t);

  // What stands in the way of a command that would prepare or end the transaction: it is prepared,
  // has ended, or began too long ago.
  absl::StatusOr<std::optional<CommandResult>> Known(const TransactionId& id);
  bool InRange(const std::vector<Write>& writes) const;
  CommandResult WrongRange() const;
  // Writes the rows; their keys.
  std::vector<Key> WriteRows(const std::vector<Write>& writes, Timestamp s);
  // The transaction has ended. `waiting`: the groups that its outcome has to reach.
  CommandResult End(const TransactionId& id, Outcome outcome, std::vector<GroupId> waiting,
                    std::vector<Key> written);
  CommandResult EndPrepared(const PreparedTransaction& prepared, Outcome outcome, Timestamp t);
  absl::StatusOr<std::optional<Outcome>> Find(const TransactionId& id);
  absl::StatusOr<storage::View*> view();

  const storage::GroupId group_;
  const ShardDescriptor founding_;
  storage::Store* store_ = nullptr;
  storage::StoreEpoch epoch_;  // Of the store when it was read.

  ShardDescriptor descriptor_;
  std::map<TransactionId, PreparedTable::Entry> prepared_;
  Outcomes outcomes_;

  // Of the batch under way.
  storage::ApplyBatch* batch_ = nullptr;
  std::optional<storage::View> view_;  // Made when it is first needed.
  std::vector<ShardChange> changes_;
  std::string meta_;  // As it stands in the store; empty if it does not.
};

}  // namespace txn

#endif  // TXN_SHARD_STATE_H_
