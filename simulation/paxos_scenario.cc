// Scenario paxos: linearizable registers over groups of fixed members, while everything happens to
// their machines that may.
//
// In the chaos nodes crash, one or all, pause and sleep; networks split in all ways, lose,
// duplicate and reorder; disks stall, fill, fail and lose what was not synced; clocks do what they
// may within their bounds; leads are handed over. All the time the rules of Paxos are asked of all
// replicas. Then all heals, and within three leases a write and a read succeed from every node;
// replicas become equal; and what clients saw is linearizable, key by key.
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
  return AllOf({ProcessHarms(universe), ClockHarms(universe), NetworkHarms(universe),
                DiskHarms(universe), LeadHarms(universe)});
}

}  // namespace

void RunPaxosScenario(simulated::Universe* universe) {
  PaxosClusterOptions options;
  options.nodes = universe->random().Chance(0.7) ? 3 : 5;
  options.voters = options.nodes;
  options.groups = static_cast<int>(universe->random().Uniform(1, 2));
  PaxosCluster cluster(universe, options);
  cluster.Chaos(Harms(universe), kChaos);
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandEquality();
  cluster.DemandLifeBesideAStalledDisk();
  cluster.JudgeHistory();
}

}  // namespace simulation
