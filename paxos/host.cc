#include "paxos/host.h"

#include <algorithm>
#include <utility>

#include "paxos/host_core.h"
#include "runtime/blocking.h"
#include "runtime/check.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/generation.h"

namespace paxos {
namespace {

// A kernel that wants the time at once, turn after turn, gets it so often.
constexpr Duration kAlarmMin = std::chrono::milliseconds(1);

// The rules that can be switched off are read once, here.
HostOptions WithExperiments(HostOptions options, runtime::Experiments& experiments) {
  Without& without = options.replica.without;
  without.lease = without.lease || experiments.Without("PX-LEASE");
  without.within_lease = without.within_lease || experiments.Without("PX-WITHIN-LEASE");
  without.abdicate = without.abdicate || experiments.Without("PX-ABDICATE");
  without.ceiling = without.ceiling || experiments.Without("PX-CEILING");
  without.stall = without.stall || experiments.Without("PX-STALL");
  without.monotone = without.monotone || experiments.Without("PX-MONOTONE");
  return options;
}

Duration TickPeriod(const HostOptions& options) {
  return options.tick_period > Duration(0) ? options.tick_period : options.replica.lease / 30;
}

}  // namespace

// --- The public face ---

Host::Host(std::unique_ptr<Core> core) : core_(std::move(core)) {}
Host::~Host() = default;

runtime::Task<absl::StatusOr<std::unique_ptr<Host>>> Host::Open(runtime::World* world,
                                                                truetime::TrueTime* truetime,
                                                                StateMachineFactory factory,
                                                                HostOptions options) {
  auto core = std::make_unique<Core>(world, truetime, std::move(factory), std::move(options));
  if (absl::Status opened = co_await core->Open(); !opened.ok()) {
    co_await core->Close();
    co_return opened;
  }
  co_return std::unique_ptr<Host>(new Host(std::move(core)));
}

runtime::Task<absl::Status> Host::Wipe(runtime::World* world, HostOptions options) {
  // The log first: a node that has its log and no store is whole, the other way round it is not.
  CO_RETURN_IF_ERROR(co_await runtime::RunBlocking(
      &world->blocking(), [files = &world->files(), path = options.log_directory] {
        return storage::StartNextGeneration(files, path);
      }));
  co_return co_await storage::Store::Wipe(world, options.store.directory);
}

runtime::Task<void> Host::Close() { return core_->Close(); }

runtime::Task<absl::StatusOr<std::shared_ptr<Group>>> Host::CreateGroup(
    storage::GroupId group, Configuration configuration) {
  return core_->CreateGroup(group, std::move(configuration));
}

std::shared_ptr<Group> Host::FindGroup(storage::GroupId group) const {
  return core_->FindGroup(group);
}
std::vector<std::shared_ptr<Group>> Host::groups() const { return core_->groups(); }
absl::Status Host::status() const { return core_->status(); }
storage::LogStore& Host::log() { return core_->log(); }
storage::Store* Host::store() { return core_->store(); }
const HostOptions& Host::options() const { return core_->options(); }

// --- The core ---

Host::Core::Core(runtime::World* world, truetime::TrueTime* truetime, StateMachineFactory factory,
                 HostOptions options)
    : world_(*world),
      truetime_(*truetime),
      factory_(std::move(factory)),
      options_(WithExperiments(std::move(options), world->experiments())),
      tick_period_(TickPeriod(options_)),
      instruments_(world->metrics()),
      executor_(runtime::Executor::Current()),
      turn_(this),
      ticker_(this),
      batcher_(&world->network(), &instruments_),
      installs_(options_.snapshots_in_max),
      shelf_(this),
      scope_(executor_) {}

Host::Core::~Core() = default;

runtime::Task<void> Host::Core::Close() {
  closed_ = true;
  registrations_.clear();
  ticker_.Stop();
  for (const std::shared_ptr<Group>& group : groups()) co_await group->End();
  co_await scope_.Close();
  groups_.clear();
  due_.clear();
  shelf_.DropAll();
  if (store_ != nullptr) co_await store_->Close();
  if (log_ != nullptr) co_await log_->Close();
}

Moment Host::Core::Now() const {
  Moment moment;
  // A suspension is seen by what comes after the reading (see TrueTime).
  moment.now = truetime_.Now();
  moment.time_safe = truetime_.TimeSafe();
  moment.monotonic = executor_.Now();
  return moment;
}

std::shared_ptr<Group> Host::Core::FindGroup(storage::GroupId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Group>> Host::Core::groups() const {
  std::vector<std::shared_ptr<Group>> all;
  for (const auto& [id, group] : groups_) all.push_back(group);
  return all;
}

absl::Status Host::Core::status() const {
  RETURN_IF_ERROR(log_->Check());
  if (!store_usable_) return absl::UnavailableError("the store is being replaced");
  return store_->status();
}

// --- Turns ---

void Host::Core::TurnSoon() {
  if (!closed_ && !turn_.ready_hook.is_linked()) executor_.Ready(turn_);
}

void Host::Core::WorkFor(Group* group) {
  if (closed_ || group->place().due) return;
  // A group that was not added yet, or has left, is nobody's work.
  std::shared_ptr<Group> found = FindGroup(group->id());
  if (found.get() != group) return;
  group->place().due = true;
  due_.push_back(std::move(found));
  TurnSoon();
}

void Host::Core::Send(runtime::NodeId node, storage::GroupId group, const Message& message) {
  batcher_.Add(node, group, message);
  TurnSoon();
}

void Host::Core::Save(GroupSave save) {
  saves_->Add(std::move(save));
  TurnSoon();
}

void Host::Core::EndTurn() {
  if (!due_.empty()) {
    const Moment moment = Now();
    const std::vector<std::shared_ptr<Group>> due = std::exchange(due_, {});
    for (const std::shared_ptr<Group>& group : due) {
      group->place().due = false;
      group->Drive(moment);
      SetAlarm(group.get());
    }
  }
  saves_->Flush();
  batcher_.Flush();
}

void Host::Core::SaveIsDurable(storage::GroupId group, SaveId save) {
  if (const std::shared_ptr<Group> found = FindGroup(group)) found->Saved(save, Now());
}

// --- Ticks ---

void Host::Core::SetAlarm(Group* group) {
  if (group->ended()) return ClearAlarm(group);
  const MonotonicTime now = executor_.Now();
  MonotonicTime when = std::max(group->wake(), now + kAlarmMin);
  if (when - now > tick_period_ * 2 && when < MonotonicTime::Max()) {
    const int64_t period = tick_period_.count();
    const int64_t past = when.nanoseconds() % period;
    if (past != 0) when = when + Duration(period - past);
  }
  std::optional<MonotonicTime>& alarm = group->place().alarm;
  if (alarm == when) return;
  ClearAlarm(group);
  if (when == MonotonicTime::Max()) return;
  alarm = when;
  alarms_.emplace(when, group->id());
  StartTicker();
}

void Host::Core::ClearAlarm(Group* group) {
  std::optional<MonotonicTime>& alarm = group->place().alarm;
  if (!alarm) return;
  alarms_.erase({*alarm, group->id()});
  alarm.reset();
}

void Host::Core::StartTicker() {
  if (closed_ || alarms_.empty()) return;
  const MonotonicTime first = alarms_.begin()->first;
  if (!ticker_.running() || ticker_.when() != first) executor_.StartTimer(ticker_, first);
}

void Host::Core::RingAlarms() {
  const MonotonicTime now = executor_.Now();
  while (!alarms_.empty() && alarms_.begin()->first <= now) {
    const storage::GroupId id = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    if (const std::shared_ptr<Group> group = FindGroup(id)) {
      group->place().alarm.reset();
      WorkFor(group.get());
    }
  }
  StartTicker();
}

// --- Messages ---

void Host::Core::Receive(runtime::NodeId sender, const std::string& payload) {
  if (!received_.ParseFromString(payload)) return instruments_.messages_bad.Add();
  if (saves_->bytes() > options_.save_bytes_max) {
    return instruments_.messages_dropped.Add(received_.messages_size());
  }
  const Moment moment = Now();
  for (wire::GroupMessage& one : *received_.mutable_messages()) {
    const storage::GroupId id(one.group());
    const absl::StatusOr<Message> message = DecodeMessage(&one);
    if (!message.ok()) {
      instruments_.messages_bad.Add();
      continue;
    }
    instruments_.messages_received.Add();
    if (const std::shared_ptr<Group> group = FindGroup(id)) {
      group->Receive(sender, *message, moment);
    } else {
      MaybeJoin(sender, id, message->to);
    }
  }
}

}  // namespace paxos
