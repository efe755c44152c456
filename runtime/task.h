// Task<T>: a coroutine that gives one T.
//
//   Task<absl::StatusOr<std::string>> Ask(Network* network, NodeId peer) {
//     CO_RETURN_IF_ERROR(co_await SleepFor(10ms));
//     co_return co_await network->Call(peer, "/isochron.Echo/Echo", "hello", 1s);
//   }
//
// Guarantees:  lazy: it starts when it is awaited (or spawned in a TaskScope), on the executor that
//              awaits it, and stays there. It is awaited once. It runs under the cancel scope of
//              who awaits it. Awaiting a task that never waits costs a call; one that waits resumes
//              its awaiter through the ready queue, never from inside itself, so stacks stay
//              bounded.
// Ownership:   the Task owns the frame. Destroying it, at any co_await, destroys the frame, its
//              locals and the tasks that they own, and unlinks whatever it waited for.
// Parameters:  by value, or a pointer that is documented to outlive the task. Never a reference, a
//              view, or a capture: they are not in the frame (tests/house_rules checks).
// Errors:      T is absl::Status or absl::StatusOr<> where it can fail. An exception stops the
// process.
#ifndef RUNTIME_TASK_H_
#define RUNTIME_TASK_H_

#include <coroutine>
#include <optional>
#include <utility>

#include "runtime/cancel_scope.h"
#include "runtime/check.h"

namespace runtime {

template <typename T>
class Task;

namespace internal {

// Told, on the task's executor, that a task has ended. It may destroy the task.
class TaskObserver {
 public:
  virtual void TaskEnded() = 0;

 protected:
  ~TaskObserver() = default;
};

struct TaskPromiseBase {
  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> task) const noexcept {
      task.promise().observer->TaskEnded();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept {
    CHECK(false) << "an exception left a task";
    __builtin_unreachable();
  }

  CancelScope* cancel = nullptr;
  TaskObserver* observer = nullptr;
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& value) {
    result.emplace(std::forward<U>(value));
  }
  T TakeResult() { return *std::move(result); }

  std::optional<T> result;
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void TakeResult() const {}
};

}  // namespace internal

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle coroutine) : coroutine_(coroutine) {}
  Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (coroutine_) coroutine_.destroy();
      coroutine_ = std::exchange(other.coroutine_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }

  // Runs the task until it first waits. `observer` hears when it ends, perhaps within this call.
  void Start(CancelScope* cancel, internal::TaskObserver* observer) {
    CHECK(coroutine_ && coroutine_.promise().observer == nullptr) << "a task is started once";
    coroutine_.promise().cancel = cancel;
    coroutine_.promise().observer = observer;
    coroutine_.resume();
  }

  // The value, once, after the task has ended.
  T TakeResult() { return coroutine_.promise().TakeResult(); }

  class Awaiter;
  Awaiter operator co_await() &&;

 private:
  Handle coroutine_ = nullptr;
};

// Awaits a task, under the awaiting task's cancel scope or, for Under(), under a given one.
template <typename T>
class Task<T>::Awaiter final : public Runnable, private internal::TaskObserver {
 public:
  explicit Awaiter(Task task, CancelScope* cancel = nullptr)
      : task_(std::move(task)), cancel_(cancel) {}

  bool await_ready() const noexcept { return false; }

  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> parent) {
    parent_ = parent;
    starting_ = true;
    task_.Start(cancel_ != nullptr ? cancel_ : parent.promise().cancel, this);
    starting_ = false;
    return !ended_;
  }

  T await_resume() { return task_.TakeResult(); }

 private:
  void Run() final { parent_.resume(); }

  void TaskEnded() final {
    ended_ = true;
    if (!starting_) Executor::Current().Ready(*this);
  }

  Task task_;
  CancelScope* cancel_;
  std::coroutine_handle<> parent_;
  bool starting_ = false;
  bool ended_ = false;
};

template <typename T>
typename Task<T>::Awaiter Task<T>::operator co_await() && {
  return Awaiter(std::move(*this));
}

template <typename T>
Task<T> internal::TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> internal::TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

// `co_await Under(&scope, Work())`: runs a task under `scope`, which outlives the wait. Make that
// scope a child of CurrentCancelScope(), or nothing above can stop the work.
template <typename T>
typename Task<T>::Awaiter Under(CancelScope* scope, Task<T> task) {
  return typename Task<T>::Awaiter(std::move(task), scope);
}

// `co_await CurrentCancelScope()`: the scope this task runs under; null if nothing can cancel it.
class CurrentCancelScope {
 public:
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) noexcept {
    scope_ = coroutine.promise().cancel;
    return false;
  }
  CancelScope* await_resume() const noexcept { return scope_; }

 private:
  CancelScope* scope_ = nullptr;
};

}  // namespace runtime

#endif  // RUNTIME_TASK_H_
