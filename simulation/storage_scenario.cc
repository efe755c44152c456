// Scenario storage: a stored byte turns, and nobody is harmed.
//
// A replica works under a small load, with crashes and disks that fail. Again and again its node
// stands still or is down, and one bit of one drawn file of it is wrong from then on: of the log,
// of the store, of what names them. It is found or harmless (PX-CHECKSUM): nothing wrong is served
// or voted on, what the replica said it knows, and it has all of the group again soon. If its log
// cannot be trusted any more, the node says so, and its replica is replaced.
#include <utility>

#include "simulation/nemesis.h"
#include "simulation/paxos_cluster.h"
#include "simulation/paxos_harms.h"
#include "simulation/scenario_list.h"

namespace simulation {
namespace {

using runtime::operator""ms;
using runtime::operator""s;

constexpr runtime::Duration kUnrest = 6s;
constexpr int kTrials = 3;

// Turns a bit of the machine's disk: under the running program, or while it is down.
void TurnABit(simulated::Universe* universe, simulated::NodeWorld* victim) {
  const bool down = universe->random().Chance(0.7);
  if (down) {
    victim->Crash();
    universe->RunFor(1ms);
  }
  victim->disk().FlipRandomBit();
  if (down) victim->Restart();
}

}  // namespace

void RunStorageScenario(simulated::Universe* universe) {
  PaxosClusterOptions options;
  options.client_nodes = 1;
  options.clients_per_node = 2;
  options.changes_members = true;
  options.stirs = false;
  PaxosCluster cluster(universe, options);
  const auto bad = universe->random().Uniform(1, options.nodes);
  const runtime::NodeId victim(static_cast<uint32_t>(bad));
  cluster.truth().bad_disks.insert(victim);
  std::vector<Harm> harms = ProcessHarms(universe);
  for (Harm& harm : DiskHarms(universe)) harms.push_back(std::move(harm));
  cluster.Chaos(std::move(harms), kUnrest);
  for (int trial = 0; trial < kTrials && universe->violation().ok(); ++trial) {
    cluster.Settle();
    TurnABit(universe, &universe->node(victim));
    universe->RunFor(universe->random().Uniform(100ms, 3s));
  }
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandEquality();
  cluster.JudgeHistory();
}

}  // namespace simulation
