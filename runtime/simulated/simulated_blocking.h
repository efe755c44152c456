// SimulatedBlocking: blocking work in the simulated world. It runs at once, on the simulation's
// thread; its task goes on only after the virtual time that its disk operations cost, and what it
// synced is durable only then: a crash in between is a crash in the midst of the work.
//
// At most `threads` pieces of work are under way; others wait for their turn, first come first
// served. LevelDB's background work runs after each piece.
#ifndef RUNTIME_SIMULATED_SIMULATED_BLOCKING_H_
#define RUNTIME_SIMULATED_SIMULATED_BLOCKING_H_

#include <cstdint>
#include <deque>

#include "runtime/blocking.h"
#include "runtime/random.h"
#include "runtime/simulated/completion.h"
#include "runtime/simulated/scheduler.h"
#include "runtime/simulated/simulated_disk.h"

namespace simulated {

class SimulatedBlocking final : public runtime::Blocking {
 public:
  SimulatedBlocking(Scheduler* scheduler, SimulatedDisk* disk, int threads, uint64_t seed);

  runtime::Task<void> Run(absl::AnyInvocable<void()> work) override;

 private:
  class Thread;

  // Runs `work` as blocking work of the disk, and has it take place when its cost, after `before`,
  // has passed. Returns that time; `done` is set then.
  Duration RunWork(absl::AnyInvocable<void()> work, Duration before, Completion<bool> done);

  Scheduler& scheduler_;
  SimulatedDisk& disk_;
  runtime::Random random_;
  int free_threads_;
  std::deque<Completion<bool>> waiting_;  // For a thread.
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_BLOCKING_H_
