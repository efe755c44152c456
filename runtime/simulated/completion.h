// Completion<T>: how an event of the world hands its result to the task that waits for it.
//
//   Completion<Reply> reply;
//   scheduler->After(delay, [reply] { reply.Set(Reply{}); });
//   absl::Status waited = co_await reply.Wait();      // then reply.Take()
//
// A handle: copies share one state. The task may be gone when the event comes (cancelled, or
// destroyed by a crash); the result is then dropped.
#ifndef RUNTIME_SIMULATED_COMPLETION_H_
#define RUNTIME_SIMULATED_COMPLETION_H_

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "runtime/cancel_scope.h"
#include "runtime/simulated/simulated_executor.h"
#include "runtime/task.h"

namespace simulated {

template <typename T>
class Completion {
 public:
  Completion() : state_(std::make_shared<State>()) {}

  // The result. Only the first one counts. From outside every executor, or from any.
  void Set(T value) const {
    if (state_->value.has_value()) return;
    state_->value.emplace(std::move(value));
    if (state_->waiter == nullptr) return;
    state_->executor->Do([this] { state_->waiter->Wake(); });
  }
  bool is_set() const { return state_->value.has_value(); }
  T Take() const { return *std::move(state_->value); }

  friend bool operator==(const Completion&, const Completion&) = default;

  // Awaits the result: OK, or why the task was cancelled.
  auto Wait() const { return Awaiter(state_, /*cancellable=*/true); }
  // The same, deaf to cancellation.
  auto WaitToTheEnd() const { return Awaiter(state_, /*cancellable=*/false); }

 private:
  struct State {
    std::optional<T> value;
    runtime::Waiter* waiter = nullptr;
    // Where the waiter waits; alive as long as its frame is.
    SimulatedExecutor* executor = nullptr;
  };

  class Awaiter final : public runtime::Waiter {
   public:
    Awaiter(std::shared_ptr<State> state, bool cancellable)
        : state_(std::move(state)), cancellable_(cancellable) {}
    ~Awaiter() {
      if (state_->waiter == this) state_->waiter = nullptr;
    }

    bool await_ready() const noexcept { return state_->value.has_value(); }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      if (!Suspend(coroutine, cancellable_ ? coroutine.promise().cancel : nullptr)) return false;
      state_->waiter = this;
      state_->executor = static_cast<SimulatedExecutor*>(&runtime::Executor::Current());
      return true;
    }
    absl::Status await_resume() { return std::move(this->status()); }

   private:
    const std::shared_ptr<State> state_;
    const bool cancellable_;
  };

  std::shared_ptr<State> state_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_COMPLETION_H_
