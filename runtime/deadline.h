// WithDeadline, WithTimeout and Shielded: bound a task's waits in time, or free them from
// cancellation.
//
//   absl::Status status = co_await WithTimeout(2s, Fetch(peer));
//
// Past the deadline each wait inside gives DEADLINE_EXCEEDED and the task ends by its own error
// path; what it returns is returned, so a task that had its result in that moment still gives it.
#ifndef RUNTIME_DEADLINE_H_
#define RUNTIME_DEADLINE_H_

#include <utility>

#include "runtime/cancel_scope.h"
#include "runtime/task.h"
#include "runtime/time.h"

namespace runtime {

namespace internal {

class DeadlineScope final : public CancelScope, private Timer {
 public:
  DeadlineScope(CancelScope* parent, MonotonicTime deadline) : CancelScope(parent) {
    Executor::Current().StartTimer(*this, deadline);
  }

 private:
  void Fire() override { Cancel(absl::DeadlineExceededError("the deadline has passed")); }
};

}  // namespace internal

template <typename T>
Task<T> WithDeadline(MonotonicTime deadline, Task<T> task) {
  internal::DeadlineScope scope(co_await CurrentCancelScope(), deadline);
  co_return co_await Under(&scope, std::move(task));
}

template <typename T>
Task<T> WithTimeout(Duration timeout, Task<T> task) {
  return WithDeadline(Executor::Current().Now() + timeout, std::move(task));
}

// Runs `task` to its end even if the caller is cancelled. For clean-up, which must bound its own
// waits.
template <typename T>
Task<T> Shielded(Task<T> task) {
  CancelScope scope;
  co_return co_await Under(&scope, std::move(task));
}

}  // namespace runtime

#endif  // RUNTIME_DEADLINE_H_
