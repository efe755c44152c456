#include "paxos/applier.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/instruments.h"
#include "runtime/check.h"
#include "runtime/log.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/log_store.h"
#include "storage/store.h"

namespace paxos {
namespace {

// Between two attempts when the store takes nothing.
constexpr Duration kPause = std::chrono::milliseconds(50);

absl::Status NoStore() { return absl::UnavailableError("the store is being opened"); }

Command CommandOf(const Chosen& one) { return {one.slot, one.entry.timestamp, one.entry.command}; }

std::vector<Command> Commands(const std::vector<Chosen>& chosen) {
  std::vector<Command> commands;
  for (const Chosen& one : chosen) {
    if (one.entry.kind == EntryKind::kCommand) commands.push_back(CommandOf(one));
  }
  return commands;
}

}  // namespace

Applier::Applier(GroupHome* home, storage::GroupId group, Start start, StateMachine* machine,
                 Listener* listener, runtime::TaskScope* scope)
    : home_(*home),
      group_(group),
      founding_(std::move(start.founding)),
      machine_(*machine),
      listener_(*listener),
      scope_(*scope),
      state_(std::move(start.state)),
      installed_(start.installed),
      told_(state_.slot),
      added_(state_.slot) {
  ended_.Set();
}

void Applier::Begin() { Wake(); }

void Applier::Add(std::vector<Chosen> chosen) {
  if (stopped_ || chosen.empty()) return;
  CHECK(chosen.front().slot == Next(added_))
      << "slot " << chosen.front().slot << " was handed out after " << added_;
  added_ = chosen.back().slot;
  std::move(chosen.begin(), chosen.end(), std::back_inserter(queue_));
  Wake();
}

void Applier::Hurry() {
  hurried_ = true;
  hurry_.Raise();
}

void Applier::StoreChanged() {
  ++store_changes_;
  restored_ = false;
  Wake();
}

runtime::Task<absl::Status> Applier::Stop() {
  stopped_ = true;
  restored_ = false;
  hurry_.Raise();
  CO_RETURN_IF_ERROR(co_await ended_.Wait());
  queue_.clear();
  if (std::exchange(installed_, false)) machine_.StateLost();
  co_return absl::OkStatus();
}

void Applier::Installed(AppliedState state) {
  CHECK(stopped_ && !running_);
  state_ = std::move(state);
  told_ = state_.slot;
  added_ = state_.slot;
  installed_ = true;
  stopped_ = false;
  restored_ = false;
  Wake();
}

// --- The task ---

bool Applier::HasWork() const {
  return installed_ && !stopped_ && (!restored_ || state_.slot < told_ || !queue_.empty());
}

void Applier::Wake() {
  if (running_ || !HasWork() || scope_.closed()) return;
  running_ = true;
  ended_.Reset();
  scope_.Spawn(Run());
}

runtime::Task<void> Applier::Run() {
  while (HasWork()) {
    if (!(co_await Gather()).ok() || !HasWork()) break;
    const absl::Status done = co_await Step();
    if (done.ok()) continue;
    restored_ = false;
    if (!(co_await runtime::SleepFor(kPause)).ok()) break;
  }
  running_ = false;
  ended_.Set();
}

// Waits until there is enough to apply, or until it is time.
runtime::Task<absl::Status> Applier::Gather() {
  const bool in_step = restored_ && state_.slot == told_;
  if (!in_step || hurried_ || state_.slot < gathered_through_) co_return absl::OkStatus();
  CO_RETURN_IF_ERROR(
      co_await hurry_.Wait(runtime::Executor::Current().Now() + home_.options().apply_pause));
  if (!queue_.empty()) gathered_through_ = queue_.back().slot;
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> Applier::Step() {
  storage::Store* const store = home_.store();
  if (store == nullptr) co_return NoStore();
  CO_RETURN_IF_ERROR(store->status());
  if (!restored_ || epoch_ != store->epoch()) co_return co_await Restore();
  if (state_.slot < told_) co_return co_await Replay();
  co_return co_await ApplyQueued();
}

// --- Where the store stands ---

absl::StatusOr<std::optional<AppliedState>> Applier::ReadState() {
  absl::StatusOr<storage::View> view = home_.store()->NewView(group_);
  // A snapshot whose installation has not ended.
  if (absl::IsFailedPrecondition(view.status())) return std::nullopt;
  RETURN_IF_ERROR(view.status());
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, view->Applied());
  if (bytes) return DecodeAppliedState(*bytes);
  if (founding_ == nullptr) return std::nullopt;
  return AppliedState{.slot = Slot(0),
                      .timestamp = Timestamp::Min(),
                      .configuration = *founding_,
                      .configuration_slot = Slot(0),
                      .range = machine_.range()};
}

runtime::Task<absl::Status> Applier::Restore() {
  storage::Store* const store = home_.store();
  const storage::StoreEpoch epoch = store->epoch();
  const uint64_t changes = store_changes_;
  CO_ASSIGN_OR_RETURN(std::optional<AppliedState> state, ReadState());
  // The log holds what was applied after that, unless it was cut above.
  if (!state || (state->slot < told_ && Next(state->slot) < listener_.truncated_before())) {
    Lost();
    co_return absl::OkStatus();
  }
  state_ = *std::move(state);
  // A batch may be there although its write seemed to fail.
  std::vector<Chosen> there;
  while (!queue_.empty() && queue_.front().slot <= state_.slot) {
    there.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  CHECK(state_.slot <= told_ || (!there.empty() && there.back().slot == state_.slot))
      << "group " << group_ << " has applied slot " << state_.slot << ", told " << told_;
  CO_RETURN_IF_ERROR(co_await machine_.Restored(store, state_.slot, state_.timestamp));
  if (stopped_) co_return absl::OkStatus();
  if (changes != store_changes_) co_return NoStore();
  restored_ = true;
  epoch_ = epoch;
  if (!there.empty()) {
    told_ = state_.slot;
    listener_.AppliedThrough(told_, there);
  }
  listener_.CameNearer();
  co_return absl::OkStatus();
}

void Applier::Lost() {
  installed_ = false;
  stopped_ = true;
  queue_.clear();
  machine_.StateLost();
  listener_.StateLost();
}

// --- Applying ---

runtime::Task<absl::Status> Applier::Replay() {
  CO_ASSIGN_OR_RETURN(const std::vector<storage::LogEntry> logged,
                      co_await home_.log().Read(group_, Next(state_.slot), Next(told_),
                                                home_.options().apply_bytes_max));
  std::vector<Chosen> chosen;
  Slot next = Next(state_.slot);
  for (const storage::LogEntry& one : logged) {
    if (one.slot != next) break;
    CO_ASSIGN_OR_RETURN(AcceptedEntry entry, DecodeLogEntry(one.slot, one.bytes));
    chosen.push_back({one.slot, std::move(entry.entry)});
    next = Next(next);
  }
  if (chosen.empty()) {
    Lost();
    co_return absl::OkStatus();
  }
  CO_RETURN_IF_ERROR(co_await ApplyBatch(&chosen));
  listener_.CameNearer();
  co_return absl::OkStatus();
}

std::vector<Chosen> Applier::TakeQueued() {
  std::vector<Chosen> taken;
  size_t bytes = 0;
  while (!queue_.empty() && (taken.empty() || bytes < home_.options().apply_bytes_max)) {
    const Chosen& next = queue_.front();
    if (!taken.empty() && next.entry.kind == EntryKind::kCommand &&
        !machine_.Due(CommandOf(next))) {
      break;
    }
    bytes += queue_.front().entry.bytes();
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return taken;
}

runtime::Task<absl::Status> Applier::ApplyQueued() {
  std::vector<Chosen> chosen = TakeQueued();
  const absl::Status applied = co_await ApplyBatch(&chosen);
  if (!applied.ok()) {
    queue_.insert(queue_.begin(), std::make_move_iterator(chosen.begin()),
                  std::make_move_iterator(chosen.end()));
    co_return applied;
  }
  told_ = state_.slot;
  if (queue_.empty()) hurried_ = false;
  listener_.AppliedThrough(told_, chosen);
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> Applier::ApplyBatch(const std::vector<Chosen>* chosen) {
  storage::ApplyBatch batch(epoch_);
  std::vector<Command> commands = Commands(*chosen);
  if (!commands.empty()) {
    CO_RETURN_IF_ERROR(co_await machine_.Apply(std::move(commands), &batch));
  }
  AppliedState state = state_;
  for (const Chosen& one : *chosen) {
    CHECK(one.slot == Next(state.slot)) << one.slot << " after " << state.slot;
    state.slot = one.slot;
    state.timestamp = one.entry.timestamp;
    if (one.entry.kind != EntryKind::kConfiguration) continue;
    state.configuration = *one.entry.configuration;
    state.configuration_slot = one.slot;
  }
  state.range = machine_.range();
  batch.SetApplied(group_, EncodeAppliedState(state));
  // The batch belongs to the store that it was made for.
  if (!restored_) co_return NoStore();
  CO_RETURN_IF_ERROR(co_await home_.store()->Write(std::move(batch)));
  state_ = std::move(state);
  home_.instruments().applied.Add(static_cast<double>(chosen->size()));
  machine_.Applied(state_.slot, state_.timestamp);
  co_return absl::OkStatus();
}

}  // namespace paxos
