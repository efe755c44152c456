#include "runtime/simulated/simulated_blocking.h"

#include <algorithm>
#include <utility>

namespace simulated {

// The right to run one piece of work, from when it is asked for to when the task's frame goes.
class SimulatedBlocking::Thread {
 public:
  explicit Thread(SimulatedBlocking* blocking) : blocking_(*blocking) {
    if (blocking_.free_threads_ > 0) {
      --blocking_.free_threads_;
      turn_.Set(true);
    } else {
      blocking_.waiting_.push_back(turn_);
    }
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread() {
    std::deque<Completion<bool>>& waiting = blocking_.waiting_;
    if (!turn_.is_set()) {
      waiting.erase(std::find(waiting.begin(), waiting.end(), turn_));
    } else if (waiting.empty()) {
      ++blocking_.free_threads_;
    } else {
      const Completion<bool> next = waiting.front();
      waiting.pop_front();
      next.Set(true);
    }
  }

  const Completion<bool>& turn() const { return turn_; }

 private:
  SimulatedBlocking& blocking_;
  const Completion<bool> turn_;
};

SimulatedBlocking::SimulatedBlocking(Scheduler* scheduler, SimulatedDisk* disk, int threads,
                                     uint64_t seed)
    : scheduler_(*scheduler), disk_(*disk), random_(seed), free_threads_(threads) {}

runtime::Task<void> SimulatedBlocking::Run(absl::AnyInvocable<void()> work) {
  const Thread thread(this);
  (co_await thread.turn().WaitToTheEnd()).IgnoreError();
  const Completion<bool> done;
  const Duration took = RunWork(std::move(work), 0ns, done);
  if (disk_.has_background_work()) {
    RunWork([this] { disk_.RunBackgroundWork(); }, took, Completion<bool>());
  }
  (co_await done.WaitToTheEnd()).IgnoreError();
}

Duration SimulatedBlocking::RunWork(absl::AnyInvocable<void()> work, Duration before,
                                    Completion<bool> done) {
  SimulatedDisk::Window window;
  SimulatedExecutor::DoOutside([&] { window = disk_.RunInWindow(work); });
  const Duration took = before + window.cost + random_.Uniform(1us, 5us);
  scheduler_.After(took, [disk = &disk_, end = window.end, done] {
    disk->Commit(end);
    done.Set(true);
  });
  return took;
}

}  // namespace simulated
