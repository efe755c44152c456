// Event: a flag that tasks wait for.
//
//   co_await ready.Wait();   // returns at once while the event is set
//
// Setting it wakes everybody that waits, in the order they came; it stays set until Reset(). A
// waiter is woken by a Set() even if a Reset() follows before it runs, so re-check what it stands
// for. Lives on one executor; must outlive its waiters' waits, or be destroyed with them by a
// crash.
#ifndef RUNTIME_EVENT_H_
#define RUNTIME_EVENT_H_

#include "absl/status/status.h"
#include "runtime/cancel_scope.h"

namespace runtime {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set();
  void Reset() { set_ = false; }
  bool is_set() const { return set_; }

  // Awaitable: absl::Status. OK when the event is set, otherwise why the task was cancelled.
  class Awaiter final : public Waiter {
   public:
    explicit Awaiter(Event* event) : event_(event) {}
    bool await_ready() const noexcept { return event_->set_; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      event_->waiters_.push_back(*this);
      return Suspend(coroutine, coroutine.promise().cancel);
    }
    absl::Status await_resume() { return std::move(status()); }

   private:
    Event* const event_;
  };
  [[nodiscard]] Awaiter Wait() { return Awaiter(this); }

 private:
  bool set_ = false;
  WaitList waiters_;
};

}  // namespace runtime

#endif  // RUNTIME_EVENT_H_
