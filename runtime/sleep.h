// SleepFor, SleepUntil and Yield: waits for time and for a turn of the loop. All give absl::Status:
// OK, or why the task was cancelled.
#ifndef RUNTIME_SLEEP_H_
#define RUNTIME_SLEEP_H_

#include "absl/status/status.h"
#include "runtime/cancel_scope.h"
#include "runtime/time.h"

namespace runtime {

class [[nodiscard]] SleepAwaiter final : public Waiter, private Timer {
 public:
  explicit SleepAwaiter(MonotonicTime until) : until_(until) {}
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    Executor::Current().StartTimer(*this, until_);
    return true;
  }
  absl::Status await_resume() { return std::move(status()); }

 private:
  void Fire() override { Wake(); }

  const MonotonicTime until_;
};

// Waits until the executor's Now() is at or past `until`. Even a moment that has passed takes a
// turn.
inline SleepAwaiter SleepUntil(MonotonicTime until) { return SleepAwaiter(until); }

inline SleepAwaiter SleepFor(Duration length) {
  return SleepAwaiter(Executor::Current().Now() + length);
}

// Lets everything that is ready run first.
class [[nodiscard]] Yield final : public Waiter {
 public:
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    Wake();
    return true;
  }
  absl::Status await_resume() { return std::move(status()); }
};

}  // namespace runtime

#endif  // RUNTIME_SLEEP_H_
