// Channel<T>: a queue with a bound, between tasks of one executor.
//
// Guarantees:  values come out in the order they went in. Send() waits while `capacity` values are
//              queued; TrySend() gives RESOURCE_EXHAUSTED instead. Receive() waits while it is
//              empty.
// Closing:     Close() makes sends fail with FAILED_PRECONDITION; receivers get what is queued,
//              then OUT_OF_RANGE.
#ifndef RUNTIME_CHANNEL_H_
#define RUNTIME_CHANNEL_H_

#include <cstddef>
#include <deque>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/cancel_scope.h"
#include "runtime/check.h"
#include "runtime/task.h"

namespace runtime {

template <typename T>
class Channel {
 public:
  explicit Channel(size_t capacity) : capacity_(capacity) { CHECK_GT(capacity, 0u); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  absl::Status TrySend(T value) {
    if (closed_) return absl::FailedPreconditionError("the channel is closed");
    if (queue_.size() >= capacity_) return absl::ResourceExhaustedError("the channel is full");
    Push(std::move(value));
    return absl::OkStatus();
  }

  Task<absl::Status> Send(T value) {
    while (!closed_ && queue_.size() >= capacity_) {
      if (absl::Status waited = co_await Awaiter(&senders_); !waited.ok()) {
        // The room this sender was woken for goes to the next one.
        WakeOne(senders_, queue_.size() < capacity_);
        co_return waited;
      }
    }
    co_return TrySend(std::move(value));
  }

  Task<absl::StatusOr<T>> Receive() {
    while (queue_.empty()) {
      if (closed_) co_return absl::OutOfRangeError("the channel is closed");
      if (absl::Status waited = co_await Awaiter(&receivers_); !waited.ok()) {
        WakeOne(receivers_, !queue_.empty());
        co_return waited;
      }
    }
    T value = std::move(queue_.front());
    queue_.pop_front();
    WakeOne(senders_, true);
    co_return std::move(value);
  }

  void Close() {
    closed_ = true;
    while (!senders_.empty()) senders_.front().Wake();
    while (!receivers_.empty()) receivers_.front().Wake();
  }

  size_t size() const { return queue_.size(); }
  bool closed() const { return closed_; }

 private:
  class Awaiter final : public Waiter {
   public:
    explicit Awaiter(WaitList* list) : list_(list) {}
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      list_->push_back(*this);
      return Suspend(coroutine, coroutine.promise().cancel);
    }
    absl::Status await_resume() { return std::move(this->status()); }

   private:
    WaitList* const list_;
  };

  void Push(T value) {
    queue_.push_back(std::move(value));
    WakeOne(receivers_, true);
  }

  static void WakeOne(WaitList& list, bool condition) {
    if (condition && !list.empty()) list.front().Wake();
  }

  const size_t capacity_;
  std::deque<T> queue_;  // Invariant: size <= capacity_.
  bool closed_ = false;
  WaitList senders_;
  WaitList receivers_;
};

}  // namespace runtime

#endif  // RUNTIME_CHANNEL_H_
