#include "simulation/paxos_node.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "simulation/register_machine.h"
#include "simulation/simulated_source.h"
#include "storage/store.h"

namespace simulation {
namespace {

using runtime::operator""ms;
using storage::GroupId;

// Between two attempts of what failed.
constexpr runtime::Duration kPause = 200ms;
constexpr runtime::Duration kLookEvery = 100ms;

absl::StatusOr<GroupContents> ReadAll(storage::View* view, const std::vector<std::string>& keys) {
  return RegisterMachine::Read(view, keys);
}

runtime::Task<void> RestartLater(simulated::NodeWorld* world) {
  if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  if (!world->running()) world->Restart();
}

}  // namespace

PaxosNode::PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world, PaxosTruth* truth,
                     PaxosNodeOptions options)
    : universe_(*universe),
      world_(*world),
      truth_(*truth),
      options_(std::move(options)),
      tapped_(world,
              [truth, node = world->node()](runtime::MessageKind, const std::string& payload) {
                truth->sent.Sent(node, payload);
              }),
      truetime_(world, std::make_unique<SimulatedSource>(world), options_.truetime),
      clock_exchange_(world, {}),
      service_(world, &truetime_, &host_),
      scope_(world->loop(0)) {
  if (options_.compares_clocks) world_.network().SetClockStamper(&truetime_);
  truetime_.SetClusterNodes(options_.nodes.size());
  truetime_.Start();
  clock_exchange_.SetPeers(options_.nodes);
  clock_exchange_.Start();
  scope_.Spawn(Main());
  scope_.Spawn(ScrubNowAndThen());
}

PaxosNode::~PaxosNode() { world_.network().SetClockStamper(nullptr); }

paxos::Moment PaxosNode::Now() {
  return {
      .now = truetime_.Now(), .time_safe = truetime_.TimeSafe(), .monotonic = world_.loop(0).Now()};
}

bool PaxosNode::healthy() const {
  return truetime_.TimeSafe() && host_ != nullptr && host_->status().ok();
}

std::string PaxosNode::Describe() const {
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

runtime::Task<void> PaxosNode::Main() {
  while (true) {
    absl::Status opened = co_await Open();
    if (opened.ok()) opened = co_await CreateGroups();
    StartAgainIfRefused(opened);
    if (opened.ok()) {
      co_await Watch();
      world_.experiments().Probe("simulation.host_reopened");
      // Whoever asks meanwhile finds no host.
      const std::unique_ptr<paxos::Host> closing = std::move(host_);
      co_await closing->Close();
      continue;
    }
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
}

runtime::Task<absl::Status> PaxosNode::Open() {
  if (host_ != nullptr) co_return absl::OkStatus();
  if (wipe_) CO_RETURN_IF_ERROR(co_await paxos::Host::Wipe(&tapped_, options_.host));
  wipe_ = false;
  absl::StatusOr<std::unique_ptr<paxos::Host>> opened = co_await paxos::Host::Open(
      &tapped_, &truetime_,
      [world = &world_, truth = &truth_](GroupId group) {
        return std::make_unique<RegisterMachine>(world, truth, group);
      },
      options_.host);
  if (absl::IsDataLoss(opened.status()) || absl::IsFailedPrecondition(opened.status())) {
    LostLog(opened.status());
  }
  CO_RETURN_IF_ERROR(opened.status());
  host_ = *std::move(opened);
  ++hosts_;
  CheckReplicas();
  co_return absl::OkStatus();
}

void PaxosNode::LostLog(const absl::Status& why) {
  world_.experiments().Probe("simulation.log_lost");
  if (universe_.tracing()) {
    universe_.Trace(absl::StrCat("node ", world_.node().value(),
                                 " lost its log: ", std::string(why.message())));
  }
  if (!truth_.bad_disks.contains(world_.node())) {
    universe_.Fail(absl::StrCat(
        "PX-CHECKSUM: node ", world_.node().value(),
        " says that its log is damaged, and nobody damaged it: ", std::string(why.message())));
  }
  truth_.LostLog(world_.node());
  wipe_ = true;
}

void PaxosNode::StartAgainIfRefused(const absl::Status& status) {
  if (!absl::StrContains(std::string(status.message()), "could not be synced before")) return;
  world_.experiments().Probe("simulation.started_again");
  universe_.Spawn(RestartLater(&world_));
  world_.Crash();
}

void PaxosNode::CheckReplicas() {
  for (const auto& [group, replica] : truth_.sent.ReplicasOf(world_.node())) {
    const std::shared_ptr<paxos::Group> here = host_->FindGroup(group);
    if (here != nullptr && here->replica().self() == replica) {
      truth_.sent.CameBack(group, here->replica());
    } else if (truth_.group(group).configuration().Find(replica) != nullptr) {
      universe_.Fail(absl::StrCat("PX-DURABLE: node ", world_.node().value(),
                                  " came back without replica ", replica.value(), " of group ",
                                  group.value(), ", which has spoken"));
    }
  }
}

runtime::Task<absl::Status> PaxosNode::CreateGroups() {
  for (const auto& [group, founding] : truth_.foundings) {
    if (founding.FindNode(world_.node()) == nullptr) continue;
    if (truth_.created.contains({group, world_.node()})) continue;
    if (host_->FindGroup(group) == nullptr) {
      CO_RETURN_IF_ERROR((co_await host_->CreateGroup(group, founding)).status());
    }
    truth_.created.insert({group, world_.node()});
  }
  co_return absl::OkStatus();
}

runtime::Task<void> PaxosNode::Watch() {
  while (!reopen_) {
    StartAgainIfRefused(host_->status());
    if (absl::IsDataLoss(host_->status())) {
      LostLog(host_->status());
      break;
    }
    if (!(co_await runtime::SleepFor(kLookEvery)).ok()) co_return;
  }
  reopen_ = false;
}

runtime::Task<void> PaxosNode::ScrubNowAndThen() {
  while ((co_await runtime::SleepFor(world_.random().Exponential(options_.scrub_every))).ok()) {
    co_await Scrub(nullptr);
  }
}

runtime::Task<void> PaxosNode::Scrub(Contents* contents) {
  for (const auto& [group, founding] : truth_.foundings) co_await ScrubGroup(group, contents);
}

runtime::Task<void> PaxosNode::ScrubGroup(GroupId group, Contents* contents) {
  if (host_ == nullptr || host_->store() == nullptr) co_return;
  absl::StatusOr<storage::View> view = host_->store()->NewView(group);
  if (!view.ok()) co_return;
  auto shared = std::make_shared<storage::View>(*std::move(view));
  absl::StatusOr<GroupContents> found = co_await runtime::RunBlocking(
      &world_.blocking(),
      [shared, keys = truth_.group(group).keys()] { return ReadAll(shared.get(), keys); });
  // What cannot be read is not served either.
  if (!found.ok()) co_return;
  truth_.group(group).Holds(absl::StrCat("node ", world_.node().value()), *found);
  if (contents != nullptr) (*contents)[{group, world_.node()}] = *std::move(found);
}

PaxosNode* FindPaxosNode(const simulated::NodeWorld& node) {
  return dynamic_cast<PaxosNode*>(node.program());
}

}  // namespace simulation
