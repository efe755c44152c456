// Scenario paxos-reconfig: as paxos, and the members of the groups change all the while.
//
// An operator adds learners, promotes and removes them, in the midst of everything. One machine has
// a bad disk: its bits turn, or all of it is lost, and its replicas come back as new members or
// repair themselves from their peers. At last every group has the members that it is to have.
#include <utility>

#include "simulation/nemesis.h"
#include "simulation/paxos_cluster.h"
#include "simulation/paxos_harms.h"
#include "simulation/scenario_list.h"

namespace simulation {
namespace {

using runtime::operator""s;

constexpr runtime::Duration kChaos = 25s;

// A bad disk shows it several times in a run.
constexpr int kDamages = 5;

std::vector<Harm> Harms(simulated::Universe* universe, PaxosTruth* truth) {
  std::vector<Harm> harms =
      AllOf({ProcessHarms(universe), ClockHarms(universe), NetworkHarms(universe),
             DiskHarms(universe), LeadHarms(universe)});
  if (truth->bad_disks.empty()) return harms;
  for (int i = 0; i < kDamages; ++i) harms = AllOf({harms, DamageHarms(universe, truth)});
  return harms;
}

}  // namespace

void RunPaxosReconfigScenario(simulated::Universe* universe) {
  PaxosClusterOptions options;
  options.nodes = static_cast<int>(universe->random().Uniform(3, 5));
  options.groups = static_cast<int>(universe->random().Uniform(1, 2));
  options.changes_members = true;
  PaxosCluster cluster(universe, options);
  if (universe->random().Chance(0.6)) {
    const auto bad = universe->random().Uniform(1, options.nodes);
    cluster.truth().bad_disks.insert(runtime::NodeId(static_cast<uint32_t>(bad)));
  }
  cluster.Chaos(Harms(universe, &cluster.truth()), kChaos);
  cluster.Settle();
  cluster.DemandLife();
  cluster.DemandEquality();
  cluster.JudgeHistory();
}

}  // namespace simulation
