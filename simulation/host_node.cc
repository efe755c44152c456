#include "simulation/host_node.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/experiments.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "simulation/simulated_source.h"

namespace simulation {
namespace {

using runtime::operator""ms;

// Between two attempts of what failed.
constexpr runtime::Duration kPause = 200ms;
constexpr runtime::Duration kLookEvery = 100ms;

runtime::Task<void> RestartLater(simulated::NodeWorld* world) {
  if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  if (!world->running()) world->Restart();
}

}  // namespace

HostNode::HostNode(simulated::Universe* universe, simulated::NodeWorld* world,
                   runtime::World* of_host, Foundings* foundings, HostNodeOptions options)
    : universe_(*universe),
      world_(*world),
      of_host_(*of_host),
      foundings_(*foundings),
      options_(std::move(options)),
      truetime_(world, std::make_unique<SimulatedSource>(world), options_.truetime),
      clock_exchange_(world, {}),
      scope_(world->loop(0)) {}

HostNode::~HostNode() { world_.network().SetClockStamper(nullptr); }

void HostNode::Begin() {
  if (options_.compares_clocks) world_.network().SetClockStamper(&truetime_);
  truetime_.SetClusterNodes(options_.nodes.size());
  truetime_.Start();
  clock_exchange_.SetPeers(options_.nodes);
  clock_exchange_.Start();
  scope_.Spawn(Main());
}

paxos::Moment HostNode::Now() {
  return {
      .now = truetime_.Now(), .time_safe = truetime_.TimeSafe(), .monotonic = world_.loop(0).Now()};
}

bool HostNode::healthy() const {
  return truetime_.TimeSafe() && host_ != nullptr && host_->status().ok();
}

std::string HostNode::Describe() const {
  std::string text = absl::StrCat(" clock ", truetime::ClockStateName(truetime_.state()));
  if (host_ == nullptr) return absl::StrCat(text, ", no host");
  absl::StrAppend(&text, ", host ", host_->status().ToString());
  for (const std::shared_ptr<paxos::Group>& group : host_->groups()) {
    const paxos::GroupStatus status = group->status();
    absl::StrAppend(&text, ", group ", group->id().value(), " replica ", status.self.value(), " ",
                    paxos::RoleName(status.role), status.installed ? "" : " not installed",
                    group->leading() ? " serving" : "", " leader ", status.leader.value(),
                    " promised ", status.promised.round, ".", status.promised.replica.value(),
                    " chosen ", status.chosen_through.value(), " applied ", status.applied.value(),
                    " open ", status.open_slots);
  }
  return text;
}

runtime::Task<void> HostNode::Main() {
  while (true) {
    absl::Status opened = co_await Open();
    if (opened.ok()) opened = co_await CreateGroups();
    StartAgainIfRefused(opened);
    if (opened.ok()) {
      co_await Watch();
      world_.experiments().Probe("simulation.host_reopened");
      Closing();
      // Whoever asks meanwhile finds no host.
      const std::unique_ptr<paxos::Host> closing = std::move(host_);
      co_await closing->Close();
      continue;
    }
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
}

runtime::Task<absl::Status> HostNode::Open() {
  if (host_ != nullptr) co_return absl::OkStatus();
  if (wipe_) CO_RETURN_IF_ERROR(co_await paxos::Host::Wipe(&of_host_, options_.host));
  wipe_ = false;
  absl::StatusOr<std::unique_ptr<paxos::Host>> opened =
      co_await paxos::Host::Open(&of_host_, &truetime_, Factory(), options_.host);
  if (absl::IsDataLoss(opened.status()) || absl::IsFailedPrecondition(opened.status())) {
    WillWipe(opened.status());
  }
  CO_RETURN_IF_ERROR(opened.status());
  host_ = *std::move(opened);
  ++hosts_;
  Opened();
  co_return absl::OkStatus();
}

void HostNode::WillWipe(const absl::Status& why) {
  world_.experiments().Probe("simulation.log_lost");
  if (universe_.tracing()) {
    universe_.Trace(absl::StrCat("node ", world_.node().value(),
                                 " lost its log: ", std::string(why.message())));
  }
  LostLog(why);
  wipe_ = true;
}

void HostNode::StartAgainIfRefused(const absl::Status& status) {
  if (!absl::StrContains(std::string(status.message()), "could not be synced before")) return;
  world_.experiments().Probe("simulation.started_again");
  universe_.Spawn(RestartLater(&world_));
  world_.Crash();
}

runtime::Task<absl::Status> HostNode::CreateGroups() {
  for (const auto& [group, founding] : foundings_.groups) {
    if (founding.FindNode(world_.node()) == nullptr) continue;
    if (foundings_.created.contains({group, world_.node()})) continue;
    if (host_->FindGroup(group) == nullptr) {
      CO_RETURN_IF_ERROR((co_await host_->CreateGroup(group, founding)).status());
    }
    foundings_.created.insert({group, world_.node()});
  }
  co_return absl::OkStatus();
}

runtime::Task<void> HostNode::Watch() {
  while (!reopen_) {
    StartAgainIfRefused(host_->status());
    if (absl::IsDataLoss(host_->status())) {
      WillWipe(host_->status());
      break;
    }
    if (!(co_await runtime::SleepFor(kLookEvery)).ok()) co_return;
  }
  reopen_ = false;
}

HostNode* FindHostNode(const simulated::NodeWorld& node) {
  return dynamic_cast<HostNode*>(node.program());
}

}  // namespace simulation
