// Scenario paxos-liar: clocks beyond their bounds.
//
// Leases may overlap then, and order in real time may be lost: linearizability is not demanded.
// Everything else is (PX-CEILING): one value in a slot, growing timestamps, snapshots that stay as
// they were, no acknowledged write lost, equal replicas; and when the clocks are right again, life.
#include <utility>

#include "simulation/nemesis.h"
#include "simulation/paxos_cluster.h"
#include "simulation/paxos_harms.h"
#include "simulation/scenario_list.h"

namespace simulation {
namespace {

using runtime::operator""s;

constexpr runtime::Duration kChaos = 20s;

std::vector<Harm> Harms(simulated::Universe* universe) {
  return AllOf({ProcessHarms(universe), NetworkHarms(universe), LyingHarms(universe),
                LyingHarms(universe), LeadHarms(universe)});
}

}  // namespace

void RunPaxosLiarScenario(simulated::Universe* universe) {
  PaxosClusterOptions options;
  options.clocks_lie = true;
  PaxosCluster cluster(universe, options);
  cluster.Chaos(Harms(universe), kChaos);
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandEquality();
  cluster.JudgeHistory();
}

}  // namespace simulation
