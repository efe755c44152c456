// Scenario truetime-liar: a minority of clocks beyond their bounds (TT-CONTRADICTION).
//
// First act: some daemons lie from the start. Once every node has read its clock, one round of
// calls must be enough: each honest node names exactly the liars and stays synchronised, each liar
// finds that it is one, stops being time-safe, and lists what it has stamped as tainted. Second
// act: they tell the truth again, and all must become well. Third act: an oscillator runs beyond
// its drift with no daemon to correct it, and must be found out too.
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "simulation/scenario_list.h"
#include "simulation/time_cluster.h"
#include "simulation/time_watchers.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using simulated::NodeWorld;
using truetime::ClockState;
using runtime::operator""ms;
using runtime::operator""s;

// By far more than all bounds together, slow readings included, and than what one round takes.
constexpr Duration kSmallestLie = 300ms;
constexpr Duration kLargestLie = 5s;
constexpr double kWildDriftPpm = 20'000;
constexpr Duration kPatience = 60s;
constexpr Duration kDaemonSettles = 10s;

std::set<NodeId> SomeMinority(simulated::Universe* universe, int count) {
  const int64_t liars = universe->random().Uniform(1, (count - 1) / 2);
  std::set<NodeId> chosen;
  while (static_cast<int64_t>(chosen.size()) < liars) {
    chosen.insert(NodeId(static_cast<uint32_t>(universe->random().Uniform(1, count))));
  }
  return chosen;
}

// Runs until every node has ended a round that began after now.
bool OneRound(simulated::Universe* universe) {
  std::map<NodeId, uint64_t> begun;
  for (const auto& [id, node] : universe->nodes()) begun[id] = FindTimeNode(*node)->rounds();
  return universe->RunUntil(
      [&] {
        for (const auto& [id, node] : universe->nodes()) {
          // The first to end may have begun before.
          if (FindTimeNode(*node)->rounds() < begun[id] + 2) return false;
        }
        return true;
      },
      kPatience);
}

bool AllHaveRead(const simulated::Universe& universe) {
  for (const auto& [id, node] : universe.nodes()) {
    TimeNode* const program = FindTimeNode(*node);
    if (program == nullptr || !program->truetime().last_reading().has_value()) return false;
  }
  return true;
}

// What each node must know by now.
void CheckVerdicts(simulated::Universe* universe, const std::set<NodeId>& liars) {
  for (const auto& [id, node] : universe->nodes()) {
    const truetime::TrueTime& truetime = *FindTrueTime(*node);
    if (liars.contains(id)) {
      if (!truetime.TimeSafe()) continue;
      universe->Fail(absl::StrCat("TT-CONTRADICTION: node ", id.value(),
                                  " lies, and has not found out after a round"));
      continue;
    }
    const std::set<NodeId>& named = truetime.peers().detector().liars();
    if (named == liars && truetime.state() == ClockState::kSynchronised) continue;
    std::vector<std::string> names;
    for (const NodeId liar : named) names.push_back(absl::StrCat(liar.value()));
    universe->Fail(absl::StrCat("TT-CONTRADICTION: after a round node ", id.value(), " is ",
                                truetime::ClockStateName(truetime.state()), " and names [",
                                absl::StrJoin(names, " "), "] as liars"));
  }
}

// Who has lied from the start has had no proof: all that it stamped is tainted.
void CheckTaints(simulated::Universe* universe, const std::set<NodeId>& liars) {
  for (const NodeId liar : liars) {
    const TimeNode& program = *FindTimeNode(universe->node(liar));
    const truetime::TaintList& taints = FindTrueTime(universe->node(liar))->peers().taints();
    if (taints.tainted().size() + taints.dropped() >= program.stamped()) continue;
    universe->Fail(absl::StrCat("TT-CONTRADICTION: node ", liar.value(), " stamped ",
                                program.stamped(), " commits while it lied, and lists ",
                                taints.tainted().size(), " as tainted"));
  }
}

void LyingDaemons(simulated::Universe* universe, TimeWatchers* watchers, std::set<NodeId> liars) {
  for (const NodeId liar : liars) {
    watchers->Excuse(liar);
    const Duration lie = universe->random().Uniform(kSmallestLie, kLargestLie);
    universe->node(liar).time_daemon().Lie(universe->random().Chance(0.5) ? lie : -lie);
  }
  if (!universe->RunUntil([&] { return AllHaveRead(*universe); }, kPatience) ||
      !OneRound(universe)) {
    return universe->Fail("the nodes do not reach each other");
  }
  CheckVerdicts(universe, liars);
  CheckTaints(universe, liars);
  for (const NodeId liar : liars) universe->node(liar).time_daemon().Lie(Duration::zero());
  // The daemon sets the realtime clock right with a poll, and that step is a disruption of its own.
  universe->RunFor(kDaemonSettles);
  if (!universe->RunUntil([&] { return AllSynchronised(*universe); }, kPatience)) {
    return universe->Fail("TT-STATES: a former liar is not synchronised again");
  }
  if (!OneRound(universe)) return universe->Fail("the nodes do not reach each other");
  CheckVerdicts(universe, {});
}

void WildOscillator(simulated::Universe* universe, TimeWatchers* watchers) {
  const auto victim = NodeId(static_cast<uint32_t>(
      universe->random().Uniform(1, static_cast<int64_t>(universe->nodes().size()))));
  watchers->Excuse(victim);
  NodeWorld& node = universe->node(victim);
  node.time_daemon().SetSilent(true);
  node.clock().SetDrift(universe->random().Chance(0.5) ? kWildDriftPpm : -kWildDriftPpm);
  // Past this it is off by 400 ms, with an epsilon of some 5 ms.
  universe->RunFor(20s);
  if (!OneRound(universe)) return universe->Fail("the nodes do not reach each other");
  CheckVerdicts(universe, {victim});
}

}  // namespace

void RunTrueTimeLiarScenario(simulated::Universe* universe) {
  const auto count = static_cast<int>(universe->random().Uniform(3, 7));
  TimeWatchers watchers(universe, FindTrueTime);
  AddTimeNodes(universe, &watchers, count);
  LyingDaemons(universe, &watchers, SomeMinority(universe, count));
  if (universe->violation().ok()) WildOscillator(universe, &watchers);
}

}  // namespace simulation
