// Scenario truetime-liar: a minority of clocks beyond their bounds (TT-CONTRADICTION).
//
// First act: some daemons lie from the start. Once every node has read its clock, one round of
// calls must be enough: each honest node names exactly the liars and stays synchronised, each liar
// finds that it is one, stops being time-safe, and lists what it has stamped as tainted. Or half of
// them agree on a false time, and nobody may be named. Second act: a daemon that was right turns to
// a false time. Third act: an oscillator runs beyond its drift with no daemon to correct it. After
// the first two they tell the truth again, and all must become well.
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
// The realtime clock is slewed after a lie like this, not stepped, so that only the readings show
// it.
constexpr Duration kLargestSlewedLie = 900ms;
// Less than three readings take.
constexpr Duration kNotYetTrusted = 1900ms;
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

NodeId SomeNode(simulated::Universe* universe) {
  const auto count = static_cast<int64_t>(universe->nodes().size());
  return NodeId(static_cast<uint32_t>(universe->random().Uniform(1, count)));
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

// They tell the truth again, and all must become well.
void TurnToTruth(simulated::Universe* universe, TimeWatchers* watchers,
                 const std::set<NodeId>& liars) {
  for (const NodeId liar : liars) universe->node(liar).time_daemon().Lie(Duration::zero());
  // The daemon sets the realtime clock right with a poll, and that step is a disruption of its own.
  universe->RunFor(kDaemonSettles);
  if (!universe->RunUntil([&] { return AllSynchronised(*universe); }, kPatience)) {
    return universe->Fail("TT-STATES: a former liar is not synchronised again");
  }
  for (const NodeId liar : liars) watchers->HoldAgain(liar);
  if (!OneRound(universe)) return universe->Fail("the nodes do not reach each other");
  CheckVerdicts(universe, {});
}

void LyingDaemons(simulated::Universe* universe, TimeWatchers* watchers,
                  const std::set<NodeId>& liars) {
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
  TurnToTruth(universe, watchers, liars);
}

// Half of the daemons agree on a false time: there is no majority, so nobody is named.
void EvenSplit(simulated::Universe* universe, TimeWatchers* watchers, int count) {
  std::set<NodeId> liars;
  const Duration lie = universe->random().Uniform(kSmallestLie, kLargestSlewedLie);
  for (int i = 1; i <= count / 2; ++i) {
    liars.emplace(static_cast<uint32_t>(i));
    watchers->Excuse(NodeId(static_cast<uint32_t>(i)));
    universe->node(NodeId(static_cast<uint32_t>(i))).time_daemon().Lie(lie);
  }
  if (!universe->RunUntil([&] { return AllHaveRead(*universe); }, kPatience) ||
      !OneRound(universe)) {
    return universe->Fail("the nodes do not reach each other");
  }
  CheckVerdicts(universe, {});
  TurnToTruth(universe, watchers, liars);
}

// A source that was right turns to a false time. Until its readings have agreed often enough to be
// trusted, the interval is the hull of what was claimed before and after, and holds true time.
void TurningSource(simulated::Universe* universe, TimeWatchers* watchers) {
  const NodeId victim = SomeNode(universe);
  const Duration lie = universe->random().Uniform(kSmallestLie, kLargestSlewedLie);
  universe->node(victim).time_daemon().Lie(universe->random().Chance(0.5) ? lie : -lie);
  universe->RunFor(kNotYetTrusted);
  // Then it is trusted, the hull is forgotten, and the peers find the node outside.
  watchers->Excuse(victim);
  universe->RunFor(kDaemonSettles);
  if (!OneRound(universe)) return universe->Fail("the nodes do not reach each other");
  CheckVerdicts(universe, {victim});
  TurnToTruth(universe, watchers, {victim});
}

void WildOscillator(simulated::Universe* universe, TimeWatchers* watchers) {
  const NodeId victim = SomeNode(universe);
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
  if (count % 2 == 0 && universe->random().Chance(0.5)) {
    EvenSplit(universe, &watchers, count);
  } else {
    LyingDaemons(universe, &watchers, SomeMinority(universe, count));
  }
  if (universe->violation().ok()) TurningSource(universe, &watchers);
  if (universe->violation().ok()) WildOscillator(universe, &watchers);
}

}  // namespace simulation
