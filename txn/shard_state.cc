#include "txn/shard_state.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/records.h"
#include "runtime/check.h"
#include "runtime/format.h"
#include "runtime/status_macros.h"
#include "txn/shard_records.h"

namespace txn {
namespace {

// So many outcomes one Trim looks at. All replicas must do the same, whatever version they run: so
// another number needs another kind of command.
constexpr size_t kSweptAtOnce = 1000;
constexpr size_t kReadAtOnce = 1000;
// That of what a group was created with.
constexpr uint64_t kFoundingGeneration = 1;

CommandResult ResultOf(const Outcome& outcome) {
  if (outcome.committed) {
    return {.kind = CommandResult::Kind::kCommitted, .timestamp = *outcome.committed};
  }
  return {.kind = CommandResult::Kind::kAborted, .why = outcome.why};
}

CommandResult Already(CommandResult result) {
  result.already = true;
  return result;
}

// The reasons that are made here are part of the state: all versions make the same.

std::string GuardHasPassed(const TransactionId& id, Timestamp t, Timestamp valid_through) {
  return absl::StrCat("transaction ", ToText(id), " was aborted: its commit came ",
                      runtime::FormatDuration(t - valid_through),
                      " after the time until which another shard guarded what it had read");
}

std::string DecidedTooLow(const TransactionId& id, Timestamp t, Timestamp prepared_at_most) {
  return absl::StrCat("transaction ", ToText(id), " was aborted: its commit timestamp is ",
                      runtime::FormatDuration(prepared_at_most - t),
                      " below that at which a shard had prepared it");
}

// Calls `take` with all entries of the state in a range.
template <typename Take>
absl::Status ReadState(storage::View* view, KeyRange range, Take take) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<storage::StateEntry> entries,
                     view->ScanState(range, kReadAtOnce));
    for (const storage::StateEntry& entry : entries) {
      ASSIGN_OR_RETURN(const TransactionId id, IdOfKey(entry.key));
      RETURN_IF_ERROR(take(id, entry.value));
    }
    if (entries.size() < kReadAtOnce) return absl::OkStatus();
    range.start = storage::KeyAfter(entries.back().key);
  }
}

}  // namespace

ShardState::ShardState(storage::GroupId group, ShardDescriptor founding, size_t recent_outcomes_max)
    : group_(group),
      founding_(std::move(founding)),
      descriptor_(founding_),
      outcomes_(recent_outcomes_max) {}

absl::Status ShardState::Restore(storage::Store* store) {
  batch_ = nullptr;
  view_.reset();
  changes_.clear();
  prepared_.clear();
  store_ = store;
  epoch_ = store->epoch();
  ASSIGN_OR_RETURN(storage::View read, store->NewView(group_));
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, read.State(kShardMetaKey));
  meta_ = bytes.value_or("");
  ShardMeta meta{.descriptor = founding_, .marks = {}};
  if (bytes) {
    ASSIGN_OR_RETURN(meta, DecodeShardMeta(*bytes));
  } else if (founding_.generation == 0) {
    ASSIGN_OR_RETURN(const std::optional<std::string> applied, read.Applied());
    if (!applied) return absl::UnavailableError("the store has nothing of the shard");
    ASSIGN_OR_RETURN(paxos::AppliedState state, paxos::DecodeAppliedState(*applied));
    meta.descriptor = {std::move(state.range), kFoundingGeneration};
  }
  descriptor_ = std::move(meta.descriptor);
  RETURN_IF_ERROR(
      ReadState(&read, PreparedKeys(),
                [this](const TransactionId& id, const std::string& value) -> absl::Status {
                  ASSIGN_OR_RETURN(PreparedTransaction prepared, DecodePrepared(value));
                  prepared_[id] = std::make_shared<const PreparedTransaction>(std::move(prepared));
                  return absl::OkStatus();
                }));
  Outcomes::Waiting waiting;
  RETURN_IF_ERROR(
      ReadState(&read, WaitingKeys(),
                [&waiting](const TransactionId& id, const std::string& value) -> absl::Status {
                  ASSIGN_OR_RETURN(waiting[id], DecodeWaiting(value));
                  return absl::OkStatus();
                }));
  outcomes_.Restore(meta.marks, std::move(waiting));
  return absl::OkStatus();
}

// --- A batch ---

absl::StatusOr<CommandResult> ShardState::Apply(ShardCommand command, Timestamp t,
                                                storage::ApplyBatch* batch) {
  batch_ = batch;
  return std::visit([this, t](auto& one) { return Apply(&one, t); }, command);
}

void ShardState::Finish(storage::ApplyBatch* batch) {
  std::string meta = EncodeShardMeta({.descriptor = descriptor_, .marks = outcomes_.marks()});
  if (meta != meta_) batch->PutState(group_, kShardMetaKey, meta);
  meta_ = std::move(meta);
  batch_ = nullptr;
  view_.reset();
}

std::vector<ShardChange> ShardState::Written() {
  outcomes_.Written();
  return std::exchange(changes_, {});
}

// --- Commands ---

absl::StatusOr<CommandResult> ShardState::Apply(Commit* commit, Timestamp t) {
  ASSIGN_OR_RETURN(const std::optional<CommandResult> known, Known(commit->id));
  if (known) return *known;
  if (!InRange(commit->writes)) return WrongRange();
  if (t > commit->valid_through) {  // TX-READ-GUARD.
    return End(commit->id, Outcome::Aborted(GuardHasPassed(commit->id, t, commit->valid_through)),
               {}, {});
  }
  return End(commit->id, Outcome::Committed(t), {}, WriteRows(commit->writes, t));
}

absl::StatusOr<CommandResult> ShardState::Apply(Prepare* prepare, Timestamp t) {
  ASSIGN_OR_RETURN(const std::optional<CommandResult> known, Known(prepare->id));
  if (known) return *known;
  const auto holds = [this](const KeyRange& lock) { return descriptor_.range.Contains(lock); };
  if (!InRange(prepare->writes) || !std::ranges::all_of(prepare->locks, holds)) {
    return WrongRange();
  }
  auto prepared = std::make_shared<const PreparedTransaction>(
      PreparedTransaction{.id = prepare->id,
                          .age = prepare->age,
                          .timestamp = t,
                          .coordinator = prepare->coordinator,
                          .writes = std::move(prepare->writes),
                          .locks = std::move(prepare->locks)});
  batch_->PutState(group_, PreparedKey(prepare->id), EncodePrepared(*prepared));
  changes_.emplace_back(BecamePrepared{prepared});
  prepared_.emplace(prepare->id, std::move(prepared));
  return CommandResult{.kind = CommandResult::Kind::kPrepared, .timestamp = t};
}

absl::StatusOr<CommandResult> ShardState::Apply(Decide* decide, Timestamp t) {
  ASSIGN_OR_RETURN(const std::optional<CommandResult> known, Known(decide->id));
  if (known) return *known;
  if (!InRange(decide->writes)) return WrongRange();
  std::optional<std::string> why;
  if (t > decide->valid_through) why = GuardHasPassed(decide->id, t, decide->valid_through);
  if (t < decide->prepared_at_most) why = DecidedTooLow(decide->id, t, decide->prepared_at_most);
  if (why) {
    return End(decide->id, Outcome::Aborted(*std::move(why)), std::move(decide->participants), {});
  }
  return End(decide->id, Outcome::Committed(t), std::move(decide->participants),
             WriteRows(decide->writes, t));
}

absl::StatusOr<CommandResult> ShardState::Apply(Abort* abort, Timestamp) {
  ASSIGN_OR_RETURN(const std::optional<CommandResult> known, Known(abort->id));
  if (known) return *known;
  return End(abort->id, Outcome::Aborted(std::move(abort->why)), std::move(abort->participants),
             {});
}

absl::StatusOr<CommandResult> ShardState::Apply(Resolve* resolve, Timestamp t) {
  const TransactionId& id = resolve->id;
  if (const auto at = prepared_.find(id); at != prepared_.end()) {
    const PreparedTable::Entry prepared = at->second;
    return EndPrepared(*prepared, std::move(resolve->outcome), t);
  }
  ASSIGN_OR_RETURN(const std::optional<CommandResult> known, Known(id));
  if (!known) {
    CHECK(!resolve->outcome.committed)
        << "TX-2PC: group " << group_ << " hears that " << id << " was " << resolve->outcome
        << ", and has not prepared it";
    return End(id, std::move(resolve->outcome), {}, {});
  }
  if (known->kind == CommandResult::Kind::kTooOld) return *known;
  const bool committed = known->kind == CommandResult::Kind::kCommitted;
  CHECK(committed == resolve->outcome.committed.has_value() &&
        (!committed || known->timestamp == *resolve->outcome.committed))
      << "TX-2PC: group " << group_ << " hears that " << id << " was " << resolve->outcome
      << ", and knows it as " << *known;
  return *known;
}

absl::StatusOr<CommandResult> ShardState::Apply(Forget* forget, Timestamp) {
  for (const TransactionId& id : forget->ids) {
    const Outcomes::Removal removal = outcomes_.Forget(id);
    if (removal.waiting) batch_->DeleteState(group_, WaitingKey(id));
    if (removal.outcome) batch_->DeleteState(group_, OutcomeKey(id));
  }
  return CommandResult{};
}

absl::StatusOr<CommandResult> ShardState::Apply(Trim* trim, Timestamp) {
  outcomes_.ForgetBefore(trim->forget_begun_before);
  if (outcomes_.swept()) return CommandResult{};
  ASSIGN_OR_RETURN(storage::View* const read, view());
  const OutcomeMarks& marks = outcomes_.marks();
  const TransactionId end{marks.forgotten_before, {}, 0};
  ASSIGN_OR_RETURN(const std::vector<storage::StateEntry> entries,
                   read->ScanState(OutcomeKeys(marks.swept_before, end),
                                   kSweptAtOnce + outcomes_.unwritten() + 1));
  std::vector<TransactionId> stored;
  stored.reserve(entries.size());
  for (const storage::StateEntry& entry : entries) {
    ASSIGN_OR_RETURN(stored.emplace_back(), IdOfKey(entry.key));
  }
  for (const TransactionId& id : outcomes_.Sweep(stored, kSweptAtOnce)) {
    batch_->DeleteState(group_, OutcomeKey(id));
  }
  return CommandResult{};
}

// --- What they are made of ---

absl::StatusOr<std::optional<CommandResult>> ShardState::Known(const TransactionId& id) {
  if (const auto at = prepared_.find(id); at != prepared_.end()) {
    return Already({.kind = CommandResult::Kind::kPrepared, .timestamp = at->second->timestamp});
  }
  ASSIGN_OR_RETURN(const std::optional<Outcome> outcome, Find(id));
  if (outcome) return Already(ResultOf(*outcome));
  if (outcomes_.TooOld(id)) return CommandResult{.kind = CommandResult::Kind::kTooOld};
  return std::nullopt;
}

absl::StatusOr<std::optional<Outcome>> ShardState::OutcomeOf(const TransactionId& id) {
  absl::StatusOr<std::optional<Outcome>> outcome = Find(id);
  // A view pins what it sees, and the next batch needs a newer one.
  if (batch_ == nullptr) view_.reset();
  return outcome;
}

absl::StatusOr<std::optional<Outcome>> ShardState::Find(const TransactionId& id) {
  const Outcomes::Found found = outcomes_.Find(id);
  if (found.outcome != nullptr) return *found.outcome;
  if (found.certain) return std::nullopt;
  ASSIGN_OR_RETURN(storage::View* const read, view());
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, read->State(OutcomeKey(id)));
  if (!bytes) return std::nullopt;
  ASSIGN_OR_RETURN(Outcome outcome, DecodeOutcome(*bytes));
  return outcome;
}

bool ShardState::InRange(const std::vector<Write>& writes) const {
  return writes.empty() || (descriptor_.range.Contains(writes.front().key) &&
                            descriptor_.range.Contains(writes.back().key));
}

CommandResult ShardState::WrongRange() const {
  return {.kind = CommandResult::Kind::kWrongRange, .descriptor = descriptor_};
}

std::vector<Key> ShardState::WriteRows(const std::vector<Write>& writes, Timestamp s) {
  std::vector<Key> keys;
  keys.reserve(writes.size());
  for (const Write& write : writes) {
    if (write.value) {
      batch_->Put(write.key, s, *write.value);
    } else {
      batch_->Delete(write.key, s);
    }
    keys.push_back(write.key);
  }
  return keys;
}

CommandResult ShardState::End(const TransactionId& id, Outcome outcome,
                              std::vector<GroupId> waiting, std::vector<Key> written) {
  if (outcome.why.size() > kWhyBytesMax) outcome.why.resize(kWhyBytesMax);
  batch_->PutState(group_, OutcomeKey(id), EncodeOutcome(outcome));
  if (!waiting.empty()) batch_->PutState(group_, WaitingKey(id), EncodeWaiting(waiting));
  outcomes_.Add(id, outcome, std::move(waiting));
  CommandResult result = ResultOf(outcome);
  changes_.emplace_back(
      Ended{.id = id, .outcome = std::move(outcome), .written = std::move(written)});
  return result;
}

CommandResult ShardState::EndPrepared(const PreparedTransaction& prepared, Outcome outcome,
                                      Timestamp t) {
  Ended ended{.id = prepared.id, .outcome = outcome, .was_prepared = true};
  if (outcome.committed) {
    const Timestamp s = *outcome.committed;
    CHECK(prepared.timestamp <= s && s <= t)
        << "TX-2PC: " << prepared.id << ", prepared at " << prepared.timestamp
        << ", was committed at " << s << ", as an entry at " << t << " says";
    ended.written = WriteRows(prepared.writes, s);
  }
  CommandResult result = ResultOf(outcome);
  const TransactionId id = prepared.id;
  batch_->DeleteState(group_, PreparedKey(id));
  prepared_.erase(id);
  // What comes again for it is refused: by this outcome, or as too old.
  if (!outcomes_.TooOld(id)) {
    batch_->PutState(group_, OutcomeKey(id), EncodeOutcome(outcome));
    outcomes_.Add(id, std::move(outcome), {});
  }
  changes_.emplace_back(std::move(ended));
  return result;
}

absl::StatusOr<storage::View*> ShardState::view() {
  if (!view_) {
    // An earlier state would not fit to what is in memory.
    if (store_ == nullptr || store_->epoch() != epoch_) {
      return absl::UnavailableError("the store was opened again");
    }
    ASSIGN_OR_RETURN(storage::View made, store_->NewView(group_));
    view_ = std::move(made);
  }
  return &*view_;
}

}  // namespace txn
