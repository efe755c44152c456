#include "txn/shard_machine.h"

#include <algorithm>

#include "runtime/check.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "truetime/truetime.h"
#include "txn/errors.h"
#include "txn/kernel/lock_conflict.h"

namespace txn {

using runtime::Task;

namespace {

// Of no key at all: a group whose keys are not known yet.
KeyRange NoKeys() { return {Key(1, '\0'), Key(1, '\0')}; }

// A mark is moved when it can go on by so much of the retention.
constexpr int kTrimSteps = 16;

}  // namespace

ShardMachine::ShardMachine(runtime::World* world, truetime::TrueTime* truetime,
                           storage::GroupId group, ShardDescriptor founding, ShardOptions options)
    : world_(*world),
      truetime_(*truetime),
      group_(group),
      options_(options),
      commit_waits_(!world->experiments().Without("TX-COMMIT-WAIT")),
      prepared_hold_back_(!world->experiments().Without("TX-SAFE-TIME")),
      state_(group, founding, options.recent_outcomes_max),
      descriptor_(std::move(founding)),
      last_commits_(options.last_commits_max) {}

// --- What came of commands ---

std::optional<CommandResult> ShardMachine::ResultOf(storage::Slot slot) const {
  const auto found = results_.find(slot);
  if (found == results_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<std::optional<Outcome>> ShardMachine::OutcomeOf(const TransactionId& id) {
  if (store_ == nullptr) return NoState(group_);
  return state_.OutcomeOf(id);
}

std::optional<Trim> ShardMachine::TrimDue() const {
  if (store_ == nullptr) return std::nullopt;
  const Outcomes& outcomes = state_.outcomes();
  const Timestamp mark = outcomes.marks().forgotten_before;
  const Timestamp due = truetime_.Now().earliest - options_.outcome_retention;
  const bool nothing_new = outcomes.marks().newest.begun <= mark;
  if (!nothing_new && due - mark >= options_.outcome_retention / kTrimSteps) return Trim{due};
  if (!outcomes.swept()) return Trim{mark};
  return std::nullopt;
}

// --- What may be read ---

Timestamp ShardMachine::SafeTime(const KeyRange& range, Timestamp paxos_safe) const {
  if (store_ == nullptr) return Timestamp::Min();
  if (!prepared_hold_back_) return paxos_safe;
  return std::min(paxos_safe, prepared_.SafeTime(range));
}

std::optional<Timestamp> ShardMachine::LastCommit(const KeyRange& range) const {
  if (store_ == nullptr || prepared_.SafeTime(range) != Timestamp::Max()) return std::nullopt;
  return std::max(last_commits_.LastIn(range), horizon());
}

absl::StatusOr<ShardRead> ShardMachine::NewRead(std::vector<KeyRange> ranges, Timestamp at,
                                                Timestamp paxos_safe) const {
  RETURN_IF_ERROR(CheckInShard(ranges));
  for (const KeyRange& range : ranges) {
    const Timestamp safe = SafeTime(range, paxos_safe);
    if (at > safe) return NotSafeYet(group_, at, safe);
  }
  ASSIGN_OR_RETURN(storage::View view, store_->NewView(group_));
  RETURN_IF_ERROR(view.CheckHorizon(at));
  return ShardRead(std::move(view), std::move(ranges), at);
}

absl::StatusOr<ShardRead> ShardMachine::NewLockedRead(std::vector<KeyRange> ranges) const {
  RETURN_IF_ERROR(CheckInShard(ranges));
  ASSIGN_OR_RETURN(storage::View view, store_->NewView(group_));
  return ShardRead(std::move(view), std::move(ranges), Timestamp::Max());
}

absl::Status ShardMachine::CheckInShard(const std::vector<KeyRange>& ranges) const {
  if (store_ == nullptr) return NoState(group_);
  for (const KeyRange& range : ranges) {
    if (!descriptor_.range.Contains(range)) return NotInShard(group_, range, descriptor_);
  }
  return absl::OkStatus();
}

// --- paxos::StateMachine ---

storage::KeyRange ShardMachine::range() const {
  return descriptor_.generation == 0 ? NoKeys() : descriptor_.range;
}

Timestamp ShardMachine::horizon() const {
  // A Resolve writes at or above the prepare timestamp, and never at the horizon.
  return std::min(applied_ - options_.version_retention, prepared_.SafeTime());
}

Task<absl::Status> ShardMachine::Restored(storage::Store* store, storage::Slot,
                                          Timestamp timestamp) {
  store_ = nullptr;
  decided_.clear();
  CO_RETURN_IF_ERROR(state_.Restore(store));
  store_ = store;
  applied_ = timestamp;
  prepared_.Clear();
  for (const auto& [id, prepared] : state_.prepared()) prepared_.Add(prepared);
  last_commits_.Reset(timestamp);
  ShowDescriptor();
  co_return absl::OkStatus();
}

bool ShardMachine::Due(const paxos::Command& command) const {
  return !commit_waits_ || truetime_.After(ShownAt(*command.bytes, command.timestamp));
}

Task<absl::Status> ShardMachine::Apply(std::vector<paxos::Command> commands,
                                       storage::ApplyBatch* batch) {
  Timestamp shown_at = Timestamp::Min();
  for (const paxos::Command& command : commands) {
    shown_at = std::max(shown_at, ShownAt(*command.bytes, command.timestamp));
  }
  // It looks again after every wait (PX-STALL). Once it is true, true time only goes on.
  if (commit_waits_ && shown_at != Timestamp::Min()) {
    CO_RETURN_IF_ERROR(co_await truetime_.WaitUntilAfter(shown_at));
  }
  const absl::Status decided = Decide(commands, batch);
  // It is tried again, to no avail; said once.
  if (absl::IsDataLoss(decided) && decided != std::exchange(trouble_, decided)) {
    world_.log().Write(runtime::Severity::kError, "txn.shard_stands_still",
                       {{"group", group_.value()}, {"why", decided.ToString()}});
  }
  co_return decided;
}

absl::Status ShardMachine::Decide(const std::vector<paxos::Command>& commands,
                                  storage::ApplyBatch* batch) {
  CHECK(store_ != nullptr) << "Apply() comes after Restored()";
  for (const paxos::Command& one : commands) {
    ASSIGN_OR_RETURN(ShardCommand command, DecodeCommand(*one.bytes));
    ASSIGN_OR_RETURN(CommandResult result, state_.Apply(std::move(command), one.timestamp, batch));
    decided_.emplace_back(one.slot, std::move(result));
  }
  state_.Finish(batch);
  return absl::OkStatus();
}

void ShardMachine::Applied(storage::Slot, Timestamp timestamp) {
  applied_ = timestamp;
  // Who waits for these looks before the next batch comes.
  while (!decided_.empty() && results_.size() > options_.results_max) {
    results_.erase(results_.begin());
  }
  for (auto& [slot, result] : std::exchange(decided_, {})) results_[slot] = std::move(result);
  for (const ShardChange& change : state_.Written()) {
    std::visit([this](const auto& one) { Show(one); }, change);
  }
  ShowDescriptor();
}

void ShardMachine::Show(const BecamePrepared& change) {
  prepared_.Add(change.transaction);
  if (listener_ != nullptr) listener_->Prepared(*change.transaction);
}

void ShardMachine::Show(const Ended& change) {
  if (change.was_prepared) prepared_.Remove(change.id);
  for (const Key& key : change.written) {
    CHECK(!prepared_.IsWritten(key)) << "TX-LOCKS: " << change.id << " was committed with "
                                     << PrintKeys(PointRange(key)) << ", which another transaction "
                                     << "has locked and prepared";
    last_commits_.Add(key, *change.outcome.committed);
  }
  if (listener_ != nullptr) listener_->HasEnded(change);
}

void ShardMachine::ShowDescriptor() {
  if (descriptor_ == state_.descriptor()) return;
  descriptor_ = state_.descriptor();
  if (listener_ != nullptr) listener_->RangeChanged(descriptor_);
}

void ShardMachine::LeadershipGained(paxos::Ballot ballot) {
  if (listener_ != nullptr) listener_->LeadershipGained(ballot);
}

void ShardMachine::LeadershipLost(paxos::Ballot ballot) {
  if (listener_ != nullptr) listener_->LeadershipLost(ballot);
}

}  // namespace txn
