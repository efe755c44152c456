// SharedCall: one call on the shared lane, from the loop that awaits it.
//
//   absl::StatusOr<std::string> reply =
//       co_await SharedCallAwaiter(sender, method, std::move(request), timeout, clocks->Raw());
//
// Ends:        once, by whoever takes it out of its sender's table: the reply, the end of the
//              stream, or the caller itself (deadline, cancellation, destruction of the frame). The
//              caller then goes on at once, and the peer is told, if it may have the request.
// Concurrency: the awaiter is its loop's. A SharedCall belongs to its sender until it is taken out
//              of the table, then to who took it, and is read by the loop when that has woken it.
#ifndef RUNTIME_REAL_SHARED_CALL_H_
#define RUNTIME_REAL_SHARED_CALL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/real/message_sender.h"
#include "runtime/real/remote_waiter.h"
#include "runtime/time.h"

namespace real {

struct SharedCall {
  std::string method;
  std::string request;
  runtime::MonotonicTime deadline;
  runtime::MonotonicTime started;  // By the raw oscillator.
  std::shared_ptr<RemoteWaiter::Link> link;
  uint64_t number = 0;  // Given by its sender.
  absl::StatusOr<std::string> result;
};

class SharedCallAwaiter final : public RemoteWaiter, private runtime::Timer {
 public:
  // `started`: now, by the raw oscillator.
  SharedCallAwaiter(std::shared_ptr<MessageSender> sender, std::string method, std::string request,
                    runtime::Duration timeout, runtime::MonotonicTime started);
  ~SharedCallAwaiter() {
    if (waiting()) sender_->Abandon(*call_);
  }

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    Begin();
    return true;
  }
  absl::StatusOr<std::string> await_resume() {
    if (!status().ok()) return status();
    return std::move(call_->result);
  }

 private:
  void Begin();
  void Fire() override;
  void Cancelled(const absl::Status& reason) override;

  const std::shared_ptr<MessageSender> sender_;
  const std::shared_ptr<SharedCall> call_;
};

}  // namespace real

#endif  // RUNTIME_REAL_SHARED_CALL_H_
