// Scheduler: decides what happens next in a universe, one event at a time.
//
// Rule:        as long as an executor has something ready, one of those is drawn and runs one
//              piece of work. When none has, time jumps to the next thing due - a timer of an
//              executor, or something on its way in the world - and one of those due then happens.
//              What the rule leaves open is drawn from the seed.
// Concurrency: one thread. Step() does not nest.
#ifndef RUNTIME_SIMULATED_SCHEDULER_H_
#define RUNTIME_SIMULATED_SCHEDULER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

class SimulatedExecutor;

class Scheduler {
 public:
  Scheduler(uint64_t seed, Recorder* recorder) : random_(seed), recorder_(*recorder) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  MonotonicTime now() const { return recorder_.now(); }
  Recorder& recorder() { return recorder_; }

  // Has `event` happen after `delay`, outside every executor. It must itself find out whether the
  // node that it was meant for still lives.
  void After(Duration delay, absl::AnyInvocable<void()> event);

  // When Step() would do something: now, later, or MonotonicTime::Max() if never.
  MonotonicTime NextTime();
  // Lets one thing happen. False if nothing ever will.
  bool Step();
  uint64_t events() const { return events_; }
  // How many events have happened since time last moved.
  uint64_t events_at_this_moment() const { return events_at_this_moment_; }

 private:
  friend class SimulatedExecutor;

  struct OnItsWay {
    MonotonicTime when;
    uint64_t tie;
    absl::AnyInvocable<void()> event;
  };

  void Add(SimulatedExecutor* executor) { executors_.push_back(executor); }
  void Remove(SimulatedExecutor* executor);
  // `executor` may have become able or unable to run.
  void Reconsider(SimulatedExecutor* executor);
  void Unlist(SimulatedExecutor* executor);
  // Drops from the list those whose ready work has gone without running.
  bool AnyCanRun();

  MonotonicTime NextDue() const;
  void RunReady();
  void HappenDue(MonotonicTime when);
  void HappenOnItsWay();

  runtime::Random random_;
  Recorder& recorder_;
  uint64_t events_ = 0;
  uint64_t events_at_this_moment_ = 0;
  std::vector<SimulatedExecutor*> executors_;  // In the order they were made.
  std::vector<SimulatedExecutor*> ready_;      // Those that can run, in no particular order.
  std::vector<SimulatedExecutor*> due_;        // Of HappenDue(), kept for its memory.
  std::vector<OnItsWay> on_its_way_;           // A heap, the first to happen in front.
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SCHEDULER_H_
