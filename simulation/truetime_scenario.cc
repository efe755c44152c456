// Scenario truetime: clocks within their bounds, whatever else happens to the machines.
//
// In the chaos nodes crash, pause and are suspended; clocks are stepped, slewed and drift to the
// edge of what they may; daemons fall silent, lose their sources, report wide bounds, and err by as
// much as they admit. After every event TT-CONTAINS, TT-INTERSECT and TT-MONOTONE are asked of
// every node, and each commit is checked against the true time. Then all heals, and within a stated
// time every node must be synchronised again (TT-STATES).
#include "absl/strings/str_cat.h"
#include "simulation/nemesis.h"
#include "simulation/scenario_list.h"
#include "simulation/time_cluster.h"
#include "simulation/time_watchers.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::operator""s;

constexpr Duration kChaos = 60s;
// The promise that was made under a clock stepped by up to 5 s has to be overtaken by true time,
// then a poll of the daemon and three readings have to agree.
constexpr Duration kHealed = 60s;

std::vector<Harm> Harms(simulated::Universe* universe) {
  return AllOf({ProcessHarms(universe), ClockHarms(universe), NetworkHarms(universe)});
}

}  // namespace

void RunTrueTimeScenario(simulated::Universe* universe) {
  const auto count = static_cast<int>(universe->random().Uniform(1, 5));
  TimeWatchers watchers(universe, FindTrueTime);
  AddTimeNodes(universe, &watchers, count);
  Nemesis nemesis(universe, {.harms = Harms(universe)});
  universe->Spawn(nemesis.Reign(kChaos));
  universe->RunFor(kChaos + 10s);
  if (!universe->RunUntil([&] { return AllSynchronised(*universe); }, kHealed) &&
      universe->violation().ok()) {
    universe->Fail("TT-STATES: a node is not synchronised again long after all has healed");
  }
}

}  // namespace simulation
