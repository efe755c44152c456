// SelfCallAwaiter: a call from a node to itself. It takes the same way through its handler as one
// from outside, without gRPC.
#ifndef RUNTIME_REAL_SELF_CALL_H_
#define RUNTIME_REAL_SELF_CALL_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/real/remote_waiter.h"
#include "runtime/real/served_method.h"

namespace real {

class SelfCallAwaiter final : public RemoteWaiter {
 public:
  SelfCallAwaiter(std::shared_ptr<ServedMethod> method, runtime::NodeId self, std::string request,
                  runtime::MonotonicTime deadline)
      : RemoteWaiter(&Loop::Current()),
        method_(std::move(method)),
        self_(self),
        request_(std::move(request)),
        deadline_(deadline) {}
  ~SelfCallAwaiter() {
    if (waiting()) CancelHandler(absl::CancelledError("the caller is gone"));
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
    return std::move(*result_);
  }

 private:
  void Begin() {
    auto call = std::make_shared<ServedCall>(
        method_, self_, std::move(request_), deadline_,
        [result = result_, link = link()](absl::StatusOr<std::string> answer) {
          *result = std::move(answer);
          WakeRemotely(link);
        });
    call_ = call;
    ServedCall::Begin(std::move(call));
  }

  // The caller goes on at once, as it would if the handler were far away.
  void Cancelled(const absl::Status& reason) override {
    CancelHandler(reason);
    Wake(reason);
  }
  void CancelHandler(absl::Status reason) {
    ServedCall::CancelLater(method_->loop(), call_, std::move(reason));
  }

  const std::shared_ptr<ServedMethod> method_;
  const runtime::NodeId self_;
  std::string request_;
  const runtime::MonotonicTime deadline_;
  std::weak_ptr<ServedCall> call_;
  // Written by the handler's loop before it wakes us. Shared, since it may answer after we are
  // gone.
  const std::shared_ptr<absl::StatusOr<std::string>> result_ =
      std::make_shared<absl::StatusOr<std::string>>();
};

}  // namespace real

#endif  // RUNTIME_REAL_SELF_CALL_H_
