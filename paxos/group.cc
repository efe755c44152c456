#include "paxos/group.h"

#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

#include "paxos/catch_up.h"
#include "paxos/errors.h"
#include "paxos/instruments.h"
#include "runtime/check.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"

namespace paxos {
namespace {

constexpr size_t kNodesMax = 4 * Configuration::kMembersMax;

// How often a kernel that wants to be told the time at once is told it in one turn.
constexpr int kTicksMax = 4;

ReplicaOptions WithSelf(ReplicaOptions options, ReplicaId self) {
  options.self = self;
  return options;
}

Slot LastAccepted(const Recovered& recovered) {
  return recovered.accepted.empty() ? recovered.applied : recovered.accepted.back().slot;
}

std::string Text(Ballot ballot) {
  std::ostringstream text;
  text << ballot;
  return text.str();
}

}  // namespace

Group::Group(GroupHome* home, Start start, std::unique_ptr<StateMachine> machine)
    : home_(*home),
      id_(start.group),
      founding_(std::move(start.founding)),
      machine_(std::move(machine)),
      replica_(WithSelf(home->options().replica, start.recovered.hard_state.self), start.recovered,
               start.seed),
      scope_(runtime::Executor::Current()),
      applier_(home, id_,
               {.state = std::move(start.applied),
                .installed = start.recovered.installed,
                .founding = founding_},
               machine_.get(), this, &scope_),
      garbage_collector_(home, id_, machine_.get()),
      log_meter_(home->options().log_retained_bytes, LastAccepted(start.recovered)),
      truncated_before_(start.recovered.truncated_before),
      begun_snapshot_(start.snapshot) {
  CHECK(replica_.installed() == applier_.installed());
  NoteMembers();
}

Group::~Group() = default;

void Group::Begin() {
  applier_.Begin();
  Changed();
}

runtime::Task<void> Group::End() {
  if (!std::exchange(ended_, true)) {
    if (std::exchange(serving_, false)) machine_->LeadershipLost(*lead_);
    if (std::exchange(lead_, std::nullopt)) home_.instruments().leaders.Add(-1);
    AbandonOutcomes(Slot(~uint64_t{0}), "the replica has ended");
    changed_.Raise();
  }
  (co_await garbage_collector_.Stop()).IgnoreError();
  co_await scope_.Close();
}

MonotonicTime Group::In(Duration length) const {
  return runtime::Executor::Current().Now() + length;
}

// --- Events ---

void Group::Receive(runtime::NodeId sender, const Message& message, const Moment& moment) {
  if (ended_) return;
  NoteNode(message.from, sender);
  replica_.Step(message, moment);
  Changed();
}

void Group::Saved(SaveId save, const Moment& moment) {
  if (ended_) return;
  while (!saves_.empty() && saves_.front().id <= save) saves_.pop_front();
  replica_.Saved(save, moment);
  GiveToApply();
  Changed();
}

void Group::Drive(const Moment& moment) {
  if (ended_) return;
  HandOut(replica_.TakeReady(moment));
  for (int i = 0; i < kTicksMax && replica_.wake() <= moment.monotonic; ++i) {
    replica_.Tick(moment);
    HandOut(replica_.TakeReady(moment));
  }
  WatchLead();
  changed_.Raise();
  if (replica_.role() == Role::kRemoved && !std::exchange(erased_, true)) home_.Erase(id_);
}

void Group::NoteMembers() {
  nodes_noted_ = replica_.hard_state().configuration_slot;
  for (const Member& member : replica_.configuration().members()) {
    NoteNode(member.replica, member.node);
  }
}

void Group::NoteNode(ReplicaId replica, runtime::NodeId node) {
  if (!nodes_.emplace(replica, node).second) return;
  if (nodes_.size() <= kNodesMax) return;
  nodes_.erase(std::find_if(nodes_.begin(), nodes_.end(), [this](const auto& one) {
    return replica_.configuration().Find(one.first) == nullptr;
  }));
}

void Group::HandOut(Ready ready) {
  if (nodes_noted_ != replica_.hard_state().configuration_slot) NoteMembers();
  for (const Message& message : ready.messages) {
    const auto node = nodes_.find(message.to);
    if (node != nodes_.end()) home_.Send(node->second, id_, message);
  }
  if (ready.save) {
    SaveUnderWay save{ready.save->id, std::nullopt};
    for (const AcceptedEntry& accepted : ready.save->entries) {
      save.first = std::min(save.first.value_or(accepted.slot), accepted.slot);
      log_meter_.Wrote(accepted.slot, accepted.entry.bytes());
    }
    saves_.push_back(save);
    home_.Save({id_, founding_, *std::move(ready.save)});
  }
  if (!ready.apply.empty()) {
    SettleOutcomes(Until::kChosen, ready.apply.back().slot, ready.apply);
    std::move(ready.apply.begin(), ready.apply.end(), std::back_inserter(chosen_));
  }
  GiveToApply();
  if (ready.fetch && !std::exchange(catching_up_, true)) scope_.Spawn(RunCatchUp(*ready.fetch));
}

void Group::GiveToApply() {
  Slot end = chosen_.empty() ? Slot() : Next(chosen_.back().slot);
  for (const SaveUnderWay& save : saves_) {
    if (save.first) end = std::min(end, *save.first);
  }
  std::vector<Chosen> durable;
  while (!chosen_.empty() && chosen_.front().slot < end) {
    durable.push_back(std::move(chosen_.front()));
    chosen_.pop_front();
  }
  applier_.Add(std::move(durable));
  if (ApplyAtOnce()) applier_.Hurry();
}

bool Group::ApplyAtOnce() {
  const ReplicaOptions& options = home_.options().replica;
  const LogWindow& window = replica_.window();
  return !outcomes_[Until::kApplied].empty() || (lead_ && !serving_) ||
         window.open_slots() > options.open_slots_max / 2 ||
         window.open_bytes() > options.open_bytes_max / 2;
}

void Group::WatchLead() {
  const std::optional<Ballot> now = replica_.leading_ballot();
  runtime::Log& log = home_.world().log();
  if (lead_ && now != lead_) {
    log.Write(runtime::Severity::kInfo, "paxos.lead_lost",
              {{"group", id_.value()}, {"ballot", Text(*lead_)}});
    home_.instruments().leads_lost.Add();
    home_.instruments().leaders.Add(-1);
    if (std::exchange(serving_, false)) machine_->LeadershipLost(*lead_);
    lead_.reset();
  }
  if (now && !lead_) {
    log.Write(runtime::Severity::kInfo, "paxos.lead_gained",
              {{"group", id_.value()}, {"ballot", Text(*now)}});
    home_.instruments().leads_gained.Add();
    home_.instruments().leaders.Add(1);
    lead_ = now;
    lead_after_ = replica_.chosen_through();
  }
  if (lead_ && !serving_ && applier_.current() && applier_.applied() >= lead_after_) {
    serving_ = true;
    machine_->LeadershipGained(*lead_);
  }
}

// --- Applying ---

void Group::AppliedThrough(Slot slot, const std::vector<Chosen>& chosen) {
  replica_.Applied(slot);
  SettleOutcomes(Until::kApplied, slot, chosen);
  CameNearer();
}

void Group::CameNearer() {
  changed_.Raise();
  Changed();
}

void Group::StateLost() {
  home_.instruments().states_lost.Add();
  home_.world().log().Write(runtime::Severity::kWarning, "paxos.state_lost",
                            {{"group", id_.value()}, {"replica", replica_.self().value()}});
  chosen_.clear();
  replica_.Uninstalled(home_.Now());
  CameNearer();
}

// --- Catching up ---

runtime::Task<void> Group::RunCatchUp(Fetch fetch) {
  co_await CatchUp(this, fetch.source);
  catching_up_ = false;
  replica_.FetchEnded();
  Changed();
}

bool Group::HasRoom() const {
  const ReplicaOptions& options = home_.options().replica;
  const LogWindow& window = replica_.window();
  const uint64_t unapplied = window.chosen_through().value() - window.base().value();
  // What was accepted above is in the window too; it does not count, since it does not go away.
  return unapplied == 0 ||
         (unapplied < options.open_slots_max && window.open_bytes() < 2 * options.open_bytes_max);
}

void Group::Learn(std::vector<AcceptedEntry> chosen) {
  home_.instruments().fetched.Add(static_cast<double>(chosen.size()));
  replica_.Learn(std::move(chosen), home_.Now());
  Changed();
}

std::vector<runtime::NodeId> Group::Teachers(ReplicaId first) const {
  std::vector<Member> others;
  for (const Member& member : replica_.configuration().members()) {
    if (member.replica != replica_.self()) others.push_back(member);
  }
  const auto order = [first](const Member& member) {
    return std::tuple(member.replica != first, !member.voter, member.replica);
  };
  std::sort(others.begin(), others.end(),
            [&](const Member& a, const Member& b) { return order(a) < order(b); });
  std::vector<runtime::NodeId> nodes;
  for (const Member& member : others) nodes.push_back(member.node);
  return nodes;
}

runtime::Task<absl::Status> Group::BeginInstall(uint64_t snapshot) {
  begun_snapshot_ = snapshot;
  if (replica_.installed()) {
    chosen_.clear();
    replica_.Uninstalled(home_.Now());
    Changed();
  }
  CO_RETURN_IF_ERROR(co_await garbage_collector_.Stop());
  co_return co_await applier_.Stop();
}

void Group::Installed(const AppliedState& state) {
  begun_snapshot_ = 0;
  home_.instruments().snapshots_installed.Add();
  home_.world().log().Write(runtime::Severity::kInfo, "paxos.snapshot_installed",
                            {{"group", id_.value()}, {"slot", state.slot.value()}});
  AbandonOutcomes(state.slot, "a snapshot went past it");
  replica_.Installed(state.slot, state.timestamp, state.configuration, state.configuration_slot,
                     home_.Now());
  applier_.Installed(state);
  garbage_collector_.Resume();
  Changed();
}

// --- What is thrown away ---

runtime::Task<absl::Status> Group::CollectGarbage() {
  if (ended_ || !applier_.current()) co_return absl::OkStatus();
  const Timestamp horizon = std::min(machine_->horizon(), PaxosSafeTime());
  co_return co_await garbage_collector_.Collect(horizon, applier_.state().timestamp);
}

std::optional<Slot> Group::CutPoint(std::optional<Slot> given) const {
  if (ended_ || !applier_.current()) return std::nullopt;
  if (!given) return log_meter_.CutPoint(applier_.applied());
  return log_meter_.CutPoint(applier_.applied(), *given, home_.options().log_given_bytes_max);
}

void Group::WasCut(Slot before) {
  truncated_before_ = std::max(truncated_before_, before);
  log_meter_.Cut(before);
}

}  // namespace paxos
