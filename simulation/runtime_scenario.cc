// Scenario runtime: what floor 0 promises to the floors above, under everything that can happen to
// a machine.
//
// In the chaos there are crashes, pauses, partitions, bad links and bad disks. All the time: what
// was acknowledged is in the store after every restart; calls end with their deadlines and carry
// the right replies; no message is invented; a handler whose caller has gone is cancelled. Then all
// heals: every node must serve, reach every other one, and nothing may be left waiting.
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "simulation/ledger_node.h"
#include "simulation/nemesis.h"
#include "simulation/scenario_list.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::operator""s;

constexpr Duration kChaos = 20s;
// A restart, the longest deadline of a call, and the network's way of finding out that a peer is
// back.
constexpr Duration kHealed = 20s;

LedgerNode* Find(const simulated::NodeWorld& node) {
  return static_cast<LedgerNode*>(node.program());
}

std::vector<Harm> Harms(simulated::Universe* universe) {
  return AllOf({ProcessHarms(universe), NetworkHarms(universe), DiskHarms(universe)});
}

bool AllServe(const simulated::Universe& universe) {
  for (const auto& [id, node] : universe.nodes()) {
    const LedgerNode* const program = Find(*node);
    if (program == nullptr || !program->serving()) return false;
  }
  return true;
}

// Each node has had a call answered, and a message, since `before` was taken.
bool AllProgress(const simulated::Universe& universe, std::map<NodeId, uint64_t> calls_before,
                 std::map<NodeId, uint64_t> messages_before) {
  for (const auto& [id, node] : universe.nodes()) {
    const LedgerNode* const program = Find(*node);
    if (program == nullptr || program->calls_answered() <= calls_before[id] ||
        program->messages_received() <= messages_before[id]) {
      return false;
    }
  }
  return true;
}

void DemandLife(simulated::Universe* universe, LedgerTruth* truth) {
  if (!universe->RunUntil([&] { return AllServe(*universe); }, kHealed)) {
    return universe->Fail("a node does not serve long after all has healed");
  }
  std::map<NodeId, uint64_t> calls;
  std::map<NodeId, uint64_t> messages;
  for (const auto& [id, node] : universe->nodes()) {
    calls[id] = Find(*node)->calls_answered();
    messages[id] = Find(*node)->messages_received();
  }
  if (!universe->RunUntil([&] { return AllProgress(*universe, calls, messages); }, kHealed)) {
    return universe->Fail("a node reaches no other one long after all has healed");
  }
  truth->quiet = true;
  universe->RunFor(5s);
  for (const auto& [id, node] : universe->nodes()) {
    if (truth->idlers[{id, node->incarnation()}] == 0) continue;
    universe->Fail(
        absl::StrCat("a handler waits at node ", id.value(), " though its caller has gone"));
  }
}

}  // namespace

void RunRuntimeScenario(simulated::Universe* universe) {
  LedgerTruth truth;
  std::vector<NodeId> peers;
  const int64_t count = universe->random().Uniform(2, 5);
  for (int64_t i = 1; i <= count; ++i) peers.emplace_back(static_cast<uint32_t>(i));
  for (const NodeId peer : peers) {
    simulated::NodeOptions options;
    options.loops = static_cast<int>(universe->random().Uniform(1, 2));
    options.program = [universe, truth = &truth, peers](runtime::World& world) {
      return std::make_unique<LedgerNode>(universe, static_cast<simulated::NodeWorld*>(&world),
                                          truth, peers);
    };
    universe->AddNode(peer, options);
  }
  universe->AddWatcher([universe, truth = &truth] {
    for (const auto& [id, node] : universe->nodes()) {
      if (node->paused()) truth->last_paused[id] = universe->now();
    }
  });
  Nemesis nemesis(universe, {.harms = Harms(universe)});
  universe->Spawn(nemesis.Reign(kChaos));
  universe->RunFor(kChaos + 3s);
  if (universe->violation().ok()) DemandLife(universe, &truth);
}

}  // namespace simulation
