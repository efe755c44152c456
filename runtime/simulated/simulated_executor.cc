#include "runtime/simulated/simulated_executor.h"

#include <utility>

#include "runtime/simulated/scheduler.h"

namespace simulated {

// One piece of posted work, standing in the ready queue.
class SimulatedExecutor::Posted final : public runtime::Runnable {
 public:
  explicit Posted(SimulatedExecutor* executor) : executor_(executor) {}

  void Run() override;

  absl::AnyInvocable<void()> work;
  runtime::ListHook owner_hook;

 private:
  SimulatedExecutor* const executor_;
};

struct SimulatedExecutor::PostedList {
  using Hook = boost::intrusive::member_hook<Posted, runtime::ListHook, &Posted::owner_hook>;

  boost::intrusive::list<Posted, Hook, boost::intrusive::constant_time_size<false>> waiting;
  std::vector<std::unique_ptr<Posted>> spent;
};

void SimulatedExecutor::Posted::Run() {
  owner_hook.unlink();
  absl::AnyInvocable<void()> running = std::move(work);
  work = nullptr;
  executor_->posted_->spent.emplace_back(this);
  running();
}

SimulatedExecutor::SimulatedExecutor(Scheduler* scheduler, NodeId node, uint64_t id, uint64_t seed,
                                     Duration start)
    : scheduler_(scheduler),
      node_(node),
      id_(id),
      start_(start),
      random_(seed),
      ties_(Mix(seed, id)),
      posted_(std::make_unique<PostedList>()) {
  scheduler_->Add(this);
}

SimulatedExecutor::~SimulatedExecutor() {
  scheduler_->Remove(this);
  DropPosted();
}

void SimulatedExecutor::Post(absl::AnyInvocable<void()> work) {
  if (crashing()) return;
  std::unique_ptr<Posted> posted;
  if (posted_->spent.empty()) {
    posted = std::make_unique<Posted>(this);
  } else {
    posted = std::move(posted_->spent.back());
    posted_->spent.pop_back();
  }
  posted->work = std::move(work);
  posted_->waiting.push_back(*posted);
  Ready(*posted.release());
}

MonotonicTime SimulatedExecutor::Now() { return scheduler_->now() + start_; }

void SimulatedExecutor::SetPaused(bool paused) {
  paused_ = paused;
  scheduler_->Reconsider(this);
}

void SimulatedExecutor::Crash() {
  Do([this] { DestroyAllTasks(); });
}

void SimulatedExecutor::DropPosted() {
  Do([this] {
    while (!posted_->waiting.empty()) {
      const std::unique_ptr<Posted> posted(&posted_->waiting.front());
      posted->owner_hook.unlink();
    }
  });
}

void SimulatedExecutor::BecameReady() { scheduler_->Reconsider(this); }

MonotonicTime SimulatedExecutor::NextDue() const {
  if (paused_) return MonotonicTime::Max();
  const MonotonicTime next = NextTimer();
  return next == MonotonicTime::Max() ? next : next - start_;
}

void SimulatedExecutor::RunNext() {
  const RunningHere here(this);
  RunOne();
}

void SimulatedExecutor::FireDue() {
  const RunningHere here(this);
  FireTimers(Now());
}

}  // namespace simulated
