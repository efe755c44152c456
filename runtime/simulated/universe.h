// Universe: a whole simulated cluster on one thread, in virtual time, from one 64-bit seed.
//
//   Universe universe(seed, {});
//   NodeWorld& node = universe.AddNode(NodeId(1), {.program = MakeServer});
//   universe.Spawn(Client(&universe));
//   universe.RunFor(10s);
//   ASSERT_TRUE(universe.violation().ok()) << universe.violation();
//
// Guarantee:   the same seed and the same code give the same events and the same hash(), in every
//              build and every process.
// Place:       the production code runs on the NodeWorlds; the nemesis, and clients that are no
//              nodes, are tasks on executor(), which never crashes.
// Concurrency: one thread; a universe can live on any, several side by side on one each.
#ifndef RUNTIME_SIMULATED_UNIVERSE_H_
#define RUNTIME_SIMULATED_UNIVERSE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/random.h"
#include "runtime/simulated/node_world.h"
#include "runtime/simulated/recorder.h"
#include "runtime/simulated/scheduler.h"
#include "runtime/simulated/simulated_executor.h"
#include "runtime/simulated/simulated_experiments.h"
#include "runtime/simulated/wire.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"

namespace simulated {

struct UniverseOptions {
  // True time at the start: 2026-01-01 00:00 UTC.
  Timestamp epoch{1'767'225'600'000'000'000};
  // The protocol rules that are switched off (Experiments::Without).
  std::set<std::string> without = {};
  // Whether Buggify sites may fire.
  bool buggify = true;
  // What the network is like where the nemesis has not bent it.
  LinkFaults link = {};
  // A run in which so many events happen at one moment is stuck in a loop, and fails as SIM-STUCK.
  uint64_t events_at_one_moment_max = 10'000'000;
};

class Universe {
 public:
  explicit Universe(uint64_t seed, UniverseOptions options = {});
  // Destroys the tasks of executor(), then crashes every node.
  ~Universe();
  Universe(const Universe&) = delete;
  Universe& operator=(const Universe&) = delete;

  uint64_t seed() const { return seed_; }
  // True time (t_abs), which no node can read, and the same as virtual time since the start.
  Timestamp true_time() const { return recorder_.true_time(); }
  MonotonicTime now() const { return recorder_.now(); }
  // The network between the nodes, for the nemesis.
  LinkFaults& link(NodeId from, NodeId to) { return wire_.link(from, to); }
  void Partition(const std::vector<std::vector<NodeId>>& groups) { wire_.Partition(groups); }
  void Clog(NodeId from, NodeId to, Duration length) { wire_.Clog(from, to, length); }
  void BreakConnection(NodeId a, NodeId b) { wire_.BreakConnection(a, b); }
  void Heal() { wire_.Heal(); }

  // For whoever drives the universe: shares nothing with what the universe itself draws.
  runtime::Random& random() { return random_; }

  // The universe's own loop, whose Now() is virtual time.
  runtime::Executor& executor() { return *executor_; }
  // Runs `task` on executor(), to its end or the universe's.
  void Spawn(runtime::Task<void> task);

  // A new node, which starts with the next events. CHECKs that the id is not taken. Node 0 stands
  // for a machine of clients: what it calls arrives as from nobody (see NodeId).
  NodeWorld& AddNode(NodeId node, NodeOptions options);
  NodeWorld& node(NodeId node);
  NodeWorld* FindNode(NodeId node);
  const std::map<NodeId, std::unique_ptr<NodeWorld>>& nodes() const { return nodes_; }

  // Lets one event happen. False if nothing will ever happen again, or an invariant was violated.
  bool Step();
  // Lets happen what happens within `length`, and moves time to its end.
  void RunFor(Duration length);
  // The same, but only until `condition` holds after an event. Whether it did.
  bool RunUntil(const std::function<bool()>& condition, Duration limit);

  // Called after every event: the place for invariants.
  void AddWatcher(std::function<void()> watcher) { watchers_.push_back(std::move(watcher)); }
  // An invariant does not hold ("TT-CONTAINS: ..."). The first one is kept and stops the run.
  void Fail(absl::string_view violation);
  // OK, or the first violation.
  const absl::Status& violation() const { return violation_; }

  uint64_t hash() const { return recorder_.hash(); }
  uint64_t events() const { return scheduler_.events(); }
  const std::map<std::string, uint64_t>& probes() const { return experiments_.probes(); }

  // Folds a value of the scenario's own into the hash.
  void Note(uint64_t value) { recorder_.Fold(Happened::kNoted, 0, value); }
  // The trace goes to `sink`, which outlives the universe or is replaced by null first.
  void SetTrace(TraceSink* sink) { recorder_.SetSink(sink); }
  bool tracing() const { return recorder_.tracing(); }
  void Trace(absl::string_view event) { recorder_.Trace(NodeId(), event); }

  // Runs `action` when no event is under way: now, or right after this one.
  void BetweenEvents(absl::AnyInvocable<void()> action);
  // The same, but never now.
  void AfterThisEvent(absl::AnyInvocable<void()> action);

  // The parts, for the simulated world's own use.
  Recorder& recorder() { return recorder_; }
  Scheduler& scheduler() { return scheduler_; }
  SimulatedExperiments& experiments() { return experiments_; }
  Wire& wire() { return wire_; }

 private:
  void RunBetweenEvents();
  void RunWatchers();

  const uint64_t seed_;
  const UniverseOptions options_;
  Recorder recorder_;
  Scheduler scheduler_;
  runtime::Random random_;
  SimulatedExperiments experiments_;
  Wire wire_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::optional<runtime::TaskScope> tasks_;
  std::map<NodeId, std::unique_ptr<NodeWorld>> nodes_;
  std::vector<std::function<void()>> watchers_;
  absl::Status violation_;
  bool in_event_ = false;
  bool acting_ = false;  // Between events.
  std::deque<absl::AnyInvocable<void()>> between_events_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_UNIVERSE_H_
