// Signal: something has changed; whoever waits looks again. One executor.
#ifndef PAXOS_SIGNAL_H_
#define PAXOS_SIGNAL_H_

#include "absl/status/status.h"
#include "runtime/cancel_scope.h"
#include "runtime/time.h"

namespace paxos {

class Signal {
 public:
  // Wakes all that wait.
  void Raise() {
    while (!waiters_.empty()) waiters_.front().Wake();
  }

  // Awaitable: absl::Status. OK when the signal was raised or `until` has come, otherwise why the
  // task was cancelled.
  class Awaiter final : public runtime::Waiter, private runtime::Timer {
   public:
    Awaiter(runtime::WaitList* list, runtime::MonotonicTime until) : list_(list), until_(until) {}
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      list_->push_back(*this);
      if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
      if (until_ < runtime::MonotonicTime::Max()) {
        runtime::Executor::Current().StartTimer(*this, until_);
      }
      return true;
    }
    absl::Status await_resume() { return std::move(status()); }

   private:
    void Fire() override { Wake(); }

    runtime::WaitList* const list_;
    const runtime::MonotonicTime until_;
  };
  [[nodiscard]] Awaiter Wait(runtime::MonotonicTime until = runtime::MonotonicTime::Max()) {
    return Awaiter(&waiters_, until);
  }

 private:
  runtime::WaitList waiters_;
};

}  // namespace paxos

#endif  // PAXOS_SIGNAL_H_
