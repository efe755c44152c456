#include "simulation/paxos_node.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "simulation/register_machine.h"
#include "storage/store.h"

namespace simulation {
namespace {

using storage::GroupId;

absl::StatusOr<GroupContents> ReadAll(storage::View* view, const std::vector<std::string>& keys) {
  return RegisterMachine::Read(view, keys);
}

}  // namespace

PaxosNode::PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world, PaxosTruth* truth,
                     PaxosNodeOptions options)
    : HostNode(universe, world, &tapped_, &truth->beginning, options.of_host),
      truth_(*truth),
      options_(std::move(options)),
      tapped_(world,
              [truth, node = world->node()](runtime::MessageKind, const std::string& payload) {
                truth->sent.Sent(node, payload);
              }),
      service_(world, &truetime(), host_place()) {
  Begin();
  Spawn(ScrubNowAndThen());
}

paxos::StateMachineFactory PaxosNode::Factory() {
  return [world = &world(), truth = &truth_](GroupId group) {
    return std::make_unique<RegisterMachine>(world, truth, group);
  };
}

void PaxosNode::LostLog(const absl::Status& why) {
  if (!truth_.bad_disks.contains(world().node())) {
    universe().Fail(absl::StrCat(
        "PX-CHECKSUM: node ", world().node().value(),
        " says that its log is damaged, and nobody damaged it: ", std::string(why.message())));
  }
  truth_.LostLog(world().node());
}

void PaxosNode::Opened() {
  for (const auto& [group, replica] : truth_.sent.ReplicasOf(world().node())) {
    const std::shared_ptr<paxos::Group> here = host()->FindGroup(group);
    if (here != nullptr && here->replica().self() == replica) {
      truth_.sent.CameBack(group, here->replica());
    } else if (truth_.group(group).configuration().Find(replica) != nullptr) {
      universe().Fail(absl::StrCat("PX-DURABLE: node ", world().node().value(),
                                   " came back without replica ", replica.value(), " of group ",
                                   group.value(), ", which has spoken"));
    }
  }
}

runtime::Task<void> PaxosNode::ScrubNowAndThen() {
  while ((co_await runtime::SleepFor(world().random().Exponential(options_.scrub_every))).ok()) {
    co_await Scrub(nullptr);
  }
}

runtime::Task<void> PaxosNode::Scrub(Contents* contents) {
  for (const auto& [group, founding] : truth_.beginning.groups)
    co_await ScrubGroup(group, contents);
}

runtime::Task<void> PaxosNode::ScrubGroup(GroupId group, Contents* contents) {
  if (host() == nullptr || host()->store() == nullptr) co_return;
  absl::StatusOr<storage::View> view = host()->store()->NewView(group);
  if (!view.ok()) co_return;
  auto shared = std::make_shared<storage::View>(*std::move(view));
  absl::StatusOr<GroupContents> found = co_await runtime::RunBlocking(
      &world().blocking(),
      [shared, keys = truth_.group(group).keys()] { return ReadAll(shared.get(), keys); });
  // What cannot be read is not served either.
  if (!found.ok()) co_return;
  truth_.group(group).Holds(absl::StrCat("node ", world().node().value()), *found);
  if (contents != nullptr) (*contents)[{group, world().node()}] = *std::move(found);
}

PaxosNode* FindPaxosNode(const simulated::NodeWorld& node) {
  return dynamic_cast<PaxosNode*>(node.program());
}

}  // namespace simulation
