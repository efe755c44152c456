// Scenario storage: a stored bit turns, and nobody is harmed.
//
// Replicas work under load, with crashes and disks that fail. Then, again and again, one bit of one
// drawn file of one node is wrong: of the log, of the store, of what names them; under the running
// program, or while it is down. It is found or harmless (PX-CHECKSUM): nothing wrong is served or
// voted on, the log survives it, the replica knows all that it has said, and has all of the group
// again soon.
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
constexpr int kTrials = 8;

// One bit of the disk turns, and the program starts from what is there: at once, or after it has
// gone on with it for a while.
void TurnABit(simulated::Universe* universe, simulated::NodeWorld* victim) {
  if (universe->random().Chance(0.3)) {
    victim->disk().FlipRandomBit();
    universe->RunFor(universe->random().Uniform(10ms, 3s));
    victim->Crash();
    universe->RunFor(1ms);
  } else {
    victim->Crash();
    universe->RunFor(1ms);
    victim->disk().FlipRandomBit();
  }
  victim->Restart();
  universe->RunFor(universe->random().Uniform(100ms, 3s));
}

}  // namespace

void RunStorageScenario(simulated::Universe* universe) {
  PaxosClusterOptions options;
  options.client_nodes = 1;
  PaxosCluster cluster(universe, options);
  std::vector<Harm> harms = ProcessHarms(universe);
  for (Harm& harm : DiskHarms(universe)) harms.push_back(std::move(harm));
  cluster.Chaos(std::move(harms), kUnrest);
  const auto victim = static_cast<uint32_t>(universe->random().Uniform(1, options.nodes));
  for (int trial = 0; trial < kTrials; ++trial) {
    cluster.Settle();
    if (!universe->violation().ok()) return;
    TurnABit(universe, &universe->node(runtime::NodeId(victim)));
  }
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandEquality();
  cluster.JudgeHistory();
}

}  // namespace simulation
