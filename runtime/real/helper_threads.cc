#include "runtime/real/helper_threads.h"

#include <utility>

#include "runtime/check.h"
#include "runtime/real/loop.h"
#include "runtime/real/remote_waiter.h"

namespace real {

// One call, in its caller's frame.
class HelperThreads::Call final : public RemoteWaiter, public InLine {
 public:
  Call(HelperThreads* threads, absl::AnyInvocable<void()> work)
      : RemoteWaiter(&Loop::Current()), threads_(threads), work_(std::move(work)) {}

  ~Call() {
    MutexLock lock(&threads_->mutex_);
    if (state_ == State::kInLine) threads_->line_.erase(threads_->line_.iterator_to(*this));
    while (state_ == State::kRunning) threads_->ended_.Wait(&threads_->mutex_);
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    Suspend(coroutine, /*cancel=*/nullptr);
    HelperThreads* const threads = threads_;  // This may be gone as soon as the lock is.
    Condition* rested = nullptr;
    {
      MutexLock lock(&threads->mutex_);
      state_ = State::kInLine;
      threads->line_.push_back(*this);
      if (!threads->resting_.empty()) {
        rested = threads->resting_.back();
        threads->resting_.pop_back();
      }
    }
    if (rested != nullptr) rested->NotifyOne();
    return true;
  }
  void await_resume() const noexcept {}

 private:
  friend class HelperThreads;
  enum class State { kNew, kInLine, kRunning, kEnded };

  HelperThreads* const threads_;
  absl::AnyInvocable<void()> work_;
  State state_ = State::kNew;  // Under threads_->mutex_.
};

HelperThreads::HelperThreads(int count) {
  CHECK_GT(count, 0);
  for (int i = 0; i < count; ++i) rested_.emplace_back();
  for (Condition& rested : rested_) threads_.emplace_back([this, &rested] { ThreadMain(&rested); });
}

HelperThreads::~HelperThreads() {
  {
    MutexLock lock(&mutex_);
    CHECK(line_.empty());
    stopping_ = true;
    for (Condition* const rested : std::exchange(resting_, {})) rested->NotifyOne();
  }
  for (std::thread& thread : threads_) thread.join();
}

runtime::Task<void> HelperThreads::Run(absl::AnyInvocable<void()> work) {
  co_await Call(this, std::move(work));
}

HelperThreads::Call* HelperThreads::NextCall(Condition* rested) {
  MutexLock lock(&mutex_);
  while (line_.empty() && !stopping_) {
    resting_.push_back(rested);
    rested->Wait(&mutex_);
    std::erase(resting_, rested);  // It ended for no reason.
  }
  if (line_.empty()) return nullptr;
  Call* const call = static_cast<Call*>(&line_.front());
  line_.pop_front();
  call->state_ = Call::State::kRunning;
  return call;
}

void HelperThreads::ThreadMain(Condition* rested) {
  while (Call* const call = NextCall(rested)) {
    call->work_();
    const std::shared_ptr<RemoteWaiter::Link> home = call->link();
    {
      MutexLock lock(&mutex_);
      call->state_ = Call::State::kEnded;  // From here on the frame, and the call in it, may go.
    }
    ended_.NotifyAll();
    RemoteWaiter::WakeRemotely(home);
  }
}

}  // namespace real
