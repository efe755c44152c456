#include "runtime/real/shared_call.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace real {

SharedCallAwaiter::SharedCallAwaiter(std::shared_ptr<MessageSender> sender, std::string method,
                                     std::string request, runtime::Duration timeout,
                                     runtime::MonotonicTime started)
    : RemoteWaiter(&Loop::Current()),
      sender_(std::move(sender)),
      call_(std::make_shared<SharedCall>(SharedCall{std::move(method), std::move(request),
                                                    Loop::Current().Now() + timeout, started,
                                                    link(), 0, std::string()})) {}

void SharedCallAwaiter::Begin() {
  Loop::Current().StartTimer(*this, call_->deadline);
  sender_->Call(call_);
}

void SharedCallAwaiter::Fire() {
  sender_->Abandon(*call_);
  Wake(absl::DeadlineExceededError(absl::StrCat("node ", sender_->peer().value(),
                                                " did not answer ", call_->method, " in time")));
}

void SharedCallAwaiter::Cancelled(const absl::Status& reason) {
  sender_->Abandon(*call_);
  Wake(reason);
}

}  // namespace real
