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

template <typename T>
class RemoteAwaiter;

// Both sides of one RunOn, owned by the caller's frame and by the messages on their way.
template <typename T>
struct RemoteTask {
  // The target's: made, used and ended there only.
  std::optional<TaskScope> scope;
  // Written over there, read at home after the task has ended.
  std::optional<T> result;
  // Home's: null once the caller has gone, which a crash or the end of its owner may bring about at
  // any time.
  RemoteAwaiter<T>* awaiter = nullptr;
};

// Waits for the other side. A cancellation is passed on, and the wait goes on.
template <typename T>
class RemoteAwaiter final : public Waiter {
 public:
  RemoteAwaiter(Executor* target, std::shared_ptr<RemoteTask<T>> remote)
      : target_(target), remote_(std::move(remote)) {
    remote_->awaiter = this;
  }
  ~RemoteAwaiter() {
    remote_->awaiter = nullptr;
    if (!ended_) PassOn(absl::CancelledError("who waited for this task has gone"));
  }

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
Task<void> RunRemote(Task<T> task, std::shared_ptr<RemoteTask<T>> remote, Executor* home) {
  remote->result.emplace(co_await std::move(task));
  Executor::Current().Post([remote, home] {
    remote->scope.reset();
    home->Post([remote] {
      if (remote->awaiter != nullptr) remote->awaiter->Ended();
    });
  });
}

}  // namespace internal

template <typename T>
Task<T> RunOn(Executor* target, Task<T> task) {
  Executor* const home = &Executor::Current();
  if (target == home) co_return co_await std::move(task);
  auto remote = std::make_shared<internal::RemoteTask<T>>();
  internal::RemoteAwaiter<T> awaiter(target, remote);
  target->Post([remote, target, home, work = std::move(task)]() mutable {
    remote->scope.emplace(*target);
    remote->scope->Spawn(internal::RunRemote(std::move(work), remote, home));
  });
  co_await awaiter;
  co_return *std::move(remote->result);
}

}  // namespace runtime

#endif  // RUNTIME_RUN_ON_H_
