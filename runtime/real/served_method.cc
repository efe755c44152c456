#include "runtime/real/served_method.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace real {

ServedCall::ServedCall(std::shared_ptr<ServedMethod> method, runtime::NodeId caller,
                       std::string request, runtime::MonotonicTime deadline, Answer answer)
    : method_(std::move(method)),
      caller_(caller),
      request_(std::move(request)),
      deadline_(deadline),
      answer_(std::move(answer)) {}

ServedCall::~ServedCall() {
  if (answer_) {
    answer_(absl::UnavailableError(
        absl::StrCat("the node stopped before it handled ", method_->name())));
  }
}

void ServedCall::Begin(std::shared_ptr<ServedCall> call) {
  Loop* const loop = call->method_->loop_;
  loop->Deliver([call = std::move(call)] { call->Run(); });
}

void ServedCall::BeginAll(Loop* loop, std::vector<std::shared_ptr<ServedCall>> calls,
                          std::shared_ptr<void> done) {
  loop->Deliver([calls = std::move(calls), done = std::move(done)] {
    for (const std::shared_ptr<ServedCall>& call : calls) call->Run();
  });
}

Loop* ServedCall::loop() const { return method_->loop(); }

void ServedCall::CancelLater(Loop* loop, std::weak_ptr<ServedCall> call, absl::Status reason) {
  loop->Post([call = std::move(call), reason = std::move(reason)] {
    if (const std::shared_ptr<ServedCall> alive = call.lock()) alive->cancel_.Cancel(reason);
  });
}

void ServedCall::Run() {
  if (method_->closed_) {
    return End(absl::UnavailableError(absl::StrCat(method_->name(), " is no longer served")));
  }
  self_ = shared_from_this();
  method_->calls_.push_back(*this);
  if (deadline_ != runtime::MonotonicTime::Max()) method_->loop_->StartTimer(*this, deadline_);
  task_ = method_->handler_(caller_, std::move(request_));
  task_.Start(&cancel_, this);
}

void ServedCall::Fire() {
  cancel_.Cancel(absl::DeadlineExceededError("the caller's deadline has passed"));
}

void ServedCall::TaskEnded() { End(task_.TakeResult()); }

void ServedCall::End(absl::StatusOr<std::string> result) {
  const std::shared_ptr<ServedCall> self = std::move(self_);
  Stop();
  hook_.unlink();
  task_ = runtime::Task<absl::StatusOr<std::string>>();
  std::exchange(answer_, nullptr)(std::move(result));
}

ServedMethod::ServedMethod(std::string name, Loop* loop, runtime::Network::CallHandler handler)
    : name_(std::move(name)), loop_(loop), handler_(std::move(handler)) {}

ServedMethod::~ServedMethod() { CHECK(calls_.empty()); }

void ServedMethod::Close() {
  closed_ = true;
  for (auto call = calls_.begin(); call != calls_.end();) {
    (call++)->cancel_.Cancel(absl::CancelledError(absl::StrCat(name_, " is no longer served")));
  }
  // A stopped loop drops the closure instead of running it; the calls must go then, too.
  struct Destroyer {
    explicit Destroyer(std::shared_ptr<ServedMethod> closed) : method(std::move(closed)) {}
    Destroyer(Destroyer&&) = default;
    ~Destroyer() {
      if (method != nullptr) method->DestroyCalls();
    }
    std::shared_ptr<ServedMethod> method;
  };
  loop_->Post([destroyer = Destroyer(shared_from_this())] {});
}

void ServedMethod::DestroyCalls() {
  while (!calls_.empty()) {
    calls_.front().End(absl::UnavailableError(absl::StrCat(name_, " is no longer served")));
  }
}

}  // namespace real
