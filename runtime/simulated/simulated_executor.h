// SimulatedExecutor: one event loop of a simulated node, run piece by piece by the Scheduler.
//
// Order:    what is made ready and what is posted stand in one queue and run first in, first out.
// Time:     Now() is virtual time plus a constant of the node, so that nobody takes it for
//           another node's, or for true time. It does not drift: the node's oscillator does (see
//           ClockModel), and that is what clock code must read.
// Crash:    Crash() destroys the tasks where they stand; DropPosted() then destroys posted work
//           unrun. The object itself goes when the node's incarnation does.
#ifndef RUNTIME_SIMULATED_SIMULATED_EXECUTOR_H_
#define RUNTIME_SIMULATED_SIMULATED_EXECUTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "runtime/executor.h"
#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

class Scheduler;

class SimulatedExecutor final : public runtime::Executor {
 public:
  // `id` tells executors apart in the hash; `start` is what Now() says at virtual time zero.
  SimulatedExecutor(Scheduler* scheduler, NodeId node, uint64_t id, uint64_t seed, Duration start);
  ~SimulatedExecutor() override;

  void Post(absl::AnyInvocable<void()> work) override;
  MonotonicTime Now() override;

  NodeId node() const { return node_; }
  uint64_t id() const { return id_; }
  runtime::Random& random() { return random_; }

  // Calls `work` as if this executor ran it.
  template <typename Work>
  void Do(Work work) {
    const RunningHere here(this);
    work();
  }
  // Calls `work` as if on a thread that belongs to no executor.
  template <typename Work>
  static void DoOutside(Work work) {
    const RunningHere here(nullptr);
    work();
  }

  // A paused executor runs nothing; what is ready and what is due piles up.
  void SetPaused(bool paused);
  bool paused() const { return paused_; }

  // Destroys all tasks; nothing that they make ready or post runs.
  void Crash();
  void DropPosted();

 private:
  friend class Scheduler;
  class Posted;

  void BecameReady() override;
  uint64_t TimerTie() override { return ties_.Next(); }

  bool can_run() const { return !paused_ && has_ready(); }
  // The virtual time at which a timer is due; MonotonicTime::Max() without one, or while paused.
  MonotonicTime NextDue() const;
  void RunNext();
  void FireDue();

  Scheduler* const scheduler_;
  const NodeId node_;
  const uint64_t id_;
  const Duration start_;
  runtime::Random random_;
  // A stream of its own, so that the number of timers does not shift what the program draws.
  runtime::Random ties_;
  bool paused_ = false;
  size_t ready_position_ = kNotReady;  // In the scheduler's list of those that can run.
  static constexpr size_t kNotReady = ~size_t{0};

  // Posted work that has not run, in order, and spent nodes for reuse.
  struct PostedList;
  std::unique_ptr<PostedList> posted_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_EXECUTOR_H_
