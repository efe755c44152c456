// RunOn: runs a task on another executor of this node and brings its result back.
//
//   absl::Status status = co_await RunOn(other_loop, Work(argument));
//
// Cancelling the caller cancels the task over there; the caller still waits for its end. Arguments
// and result cross threads, so they share nothing with what stays behind.
#ifndef RUNTIME_RUN_ON_H_
#define RUNTIME_RUN_ON_H_

#include <memory>
#include <optional>
#include <utility>

#include "runtime/task.h"
#include "runtime/task_scope.h"

namespace runtime {

namespace internal {

// Both sides of one RunOn. Owned by the caller's frame and by the messages on their way; the scope
// is made, used and ended on the target only, so the last message to go is always back from there.
template <typename T>
struct RemoteTask {
  std::optional<TaskScope> scope;
  std::optional<T> result;
};

// Waits for the other side. A cancellation is passed on, and the wait goes on.
template <typename T>
class RemoteAwaiter final : public Waiter {
 public:
  RemoteAwaiter(Executor* target, std::shared_ptr<RemoteTask<T>> remote)
      : target_(target), remote_(std::move(remote)) {}

  bool await_ready() const noexcept { return ended_; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    CancelScope* cancel = coroutine.promise().cancel;
    if (cancel != nullptr && cancel->cancelled()) {
      PassOn(cancel->reason());
      cancel = nullptr;
    }
    return Suspend(coroutine, cancel);
  }
  void await_resume() const noexcept {}

  void Ended() {
    ended_ = true;
    Wake();
  }

 private:
  void Cancelled(const absl::Status& reason) override { PassOn(reason); }
  void PassOn(const absl::Status& reason) {
    target_->Post([remote = remote_, reason] {
      if (remote->scope.has_value()) remote->scope->Cancel(reason);
    });
  }

  Executor* const target_;
  const std::shared_ptr<RemoteTask<T>> remote_;
  bool ended_ = false;
};

template <typename T>
Task<void> RunRemote(Task<T> task, std::shared_ptr<RemoteTask<T>> remote, Executor* home,
                     RemoteAwaiter<T>* awaiter) {
  remote->result.emplace(co_await std::move(task));
  Executor::Current().Post([remote, home, awaiter] {
    remote->scope.reset();
    home->Post([remote, awaiter] { awaiter->Ended(); });
  });
}

}  // namespace internal

template <typename T>
Task<T> RunOn(Executor* target, Task<T> task) {
  Executor* const home = &Executor::Current();
  if (target == home) co_return co_await std::move(task);
  auto remote = std::make_shared<internal::RemoteTask<T>>();
  internal::RemoteAwaiter<T> awaiter(target, remote);
  target->Post([remote, target, home, waiting = &awaiter, work = std::move(task)]() mutable {
    remote->scope.emplace(*target);
    remote->scope->Spawn(internal::RunRemote(std::move(work), remote, home, waiting));
  });
  co_await awaiter;
  co_return *std::move(remote->result);
}

}  // namespace runtime

#endif  // RUNTIME_RUN_ON_H_
