// ShardMachine: a shard as the state machine of its group. It applies what was chosen when its time
// has come, and tells what may be read.
//
// Place:       made for a Group by the host's factory; above it the participant, who proposes
//              commands and reads, and listens.
// Two steps:   a command is decided in Apply(), by ShardState, and shown from Applied() on, when
//              what it wrote can be read: only then the prepared table, the last commits and the
//              results change, and the listener hears of it. So no safe time runs ahead of the rows.
// Commit wait: TX-COMMIT-WAIT: what commits at s is not given to the store before TT.After(s) by this
//              replica's own clock. It waits alone: a batch ends before the first command that is
//              not due, so nothing waits for a later timestamp than its own.
// After a restart, or when the store was opened again: Restored() has read everything, and the log
//              is applied anew from there. The listener hears again what it may have heard before.
// Concurrency: one loop.
#ifndef TXN_SHARD_MACHINE_H_
#define TXN_SHARD_MACHINE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/state_machine.h"
#include "runtime/task.h"
#include "storage/store.h"
#include "txn/commands.h"
#include "txn/kernel/last_commits.h"
#include "txn/kernel/prepared_table.h"
#include "txn/shard_read.h"
#include "txn/shard_state.h"

namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}

namespace txn {

using runtime::Duration;

struct ShardOptions {
  // How long a version of a row can be read after it was replaced.
  Duration version_retention = std::chrono::hours(1);
  // How long the outcome of a transaction is kept, counted from when it began. A transaction that
  // takes longer cannot commit.
  Duration outcome_retention = std::chrono::hours(1);
  // Outcomes that are found without asking the store.
  size_t recent_outcomes_max = 4000;
  // Keys of which the last commit is remembered exactly.
  size_t last_commits_max = 4000;
  // Results that are kept for those who proposed the commands. Those of the last batch always are.
  size_t results_max = 1000;
};

// Hears what happened to a shard, on its loop, when it can be read. It may ask the machine, and must
// not end its group.
class ShardListener {
 public:
  virtual ~ShardListener() = default;

  virtual void Prepared(const PreparedTransaction& prepared) = 0;
  // A transaction has ended here: its locks, if it has any, are free.
  virtual void HasEnded(const Ended& ended) = 0;
  // The lock table begins with what prepared() lists. All that was chosen before is shown.
  virtual void LeadershipGained(paxos::Ballot ballot) = 0;
  virtual void LeadershipLost(paxos::Ballot ballot) = 0;
  virtual void RangeChanged(const ShardDescriptor& descriptor) = 0;
};

class ShardMachine final : public paxos::StateMachine {
 public:
  // `world` and `truetime` outlive it. `founding`: what the group is created with, the same at all
  // founding members. A replica that joins later may not know it: {} then.
  ShardMachine(runtime::World* world, truetime::TrueTime* truetime, storage::GroupId group,
               ShardDescriptor founding, ShardOptions options);

  // Null: nobody listens.
  void SetListener(std::shared_ptr<ShardListener> listener) { listener_ = std::move(listener); }

  // --- What came of commands ---

  // None if this replica did not apply it itself, or long ago.
  std::optional<CommandResult> ResultOf(storage::Slot slot) const;
  // How a transaction ended here (TX-ONCE). None: it has not, or that is forgotten. May read the
  // disk. UNAVAILABLE: there is no state now.
  absl::StatusOr<std::optional<Outcome>> OutcomeOf(const TransactionId& id);
  // Whether it began so long ago that only an outcome that is there can be known.
  bool TooOld(const TransactionId& id) const { return state_.outcomes().TooOld(id); }
  // Whom outcomes still have to reach: for a leader's Resolve and Forget.
  const Outcomes::Waiting& waiting() const { return state_.outcomes().waiting(); }
  // What is to be proposed now to forget old outcomes; none while there is nothing to do.
  std::optional<Trim> TrimDue() const;

  // --- What may be read ---

  const ShardDescriptor& descriptor() const { return descriptor_; }
  const PreparedTable& prepared() const { return prepared_; }
  // Nothing will be written to the range at or below it any more (TX-SAFE-TIME). `paxos_safe` is
  // Group::PaxosSafeTime(), asked in the same turn.
  Timestamp SafeTime(const KeyRange& range, Timestamp paxos_safe) const;
  // At the leader, when its ReadBarrier() has passed: the earliest timestamp at which a read sees
  // all that was committed in the range (LastTS of TX-READ-ONLY). None while something is prepared
  // there: then it takes Now().latest.
  std::optional<Timestamp> LastCommit(const KeyRange& range) const;
  // NotSafeYet(), NotInShard(), NoState(), or OUT_OF_RANGE below what is kept.
  absl::StatusOr<ShardRead> NewRead(std::vector<KeyRange> ranges, Timestamp at,
                                    Timestamp paxos_safe) const;
  // At the leader, for a transaction that holds locks on the ranges, which it asked for in this
  // ballot: their newest rows. Nobody else writes there, and what was written there before has been
  // shown. NotInShard() or NoState().
  absl::StatusOr<ShardRead> NewLockedRead(std::vector<KeyRange> ranges) const;

  // --- paxos::StateMachine ---

  storage::KeyRange range() const override;
  Timestamp horizon() const override;
  runtime::Task<absl::Status> Restored(storage::Store* store, storage::Slot applied,
                                       Timestamp timestamp) override;
  bool Due(const paxos::Command& command) const override;
  runtime::Task<absl::Status> Apply(std::vector<paxos::Command> commands,
                                    storage::ApplyBatch* batch) override;
  void Applied(storage::Slot slot, Timestamp timestamp) override;
  void StateLost() override { store_ = nullptr; }
  void LeadershipGained(paxos::Ballot ballot) override;
  void LeadershipLost(paxos::Ballot ballot) override;

 private:
  absl::Status CheckInShard(const std::vector<KeyRange>& ranges) const;
  absl::Status Decide(const std::vector<paxos::Command>& commands, storage::ApplyBatch* batch);
  void Show(const BecamePrepared& change);
  void Show(const Ended& change);
  void ShowDescriptor();

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  const storage::GroupId group_;
  const ShardOptions options_;
  // TX-COMMIT-WAIT and TX-SAFE-TIME, off in experiments only.
  const bool commit_waits_;
  const bool prepared_hold_back_;
  std::shared_ptr<ShardListener> listener_;

  ShardState state_;
  storage::Store* store_ = nullptr;  // Null: nothing may be read.

  // As of the last Applied() or Restored().
  ShardDescriptor descriptor_;
  PreparedTable prepared_;
  LastCommits last_commits_;
  Timestamp applied_ = Timestamp::Min();
  std::map<storage::Slot, CommandResult> results_;
  absl::Status trouble_;  // The last command that could not be read.
  // Of the batch under way.
  std::vector<std::pair<storage::Slot, CommandResult>> decided_;
};

}  // namespace txn

#endif  // TXN_SHARD_MACHINE_H_
