#include "runtime/cancel_scope.h"

#include <utility>

#include "runtime/check.h"

namespace runtime {

bool Waiter::Suspend(std::coroutine_handle<> coroutine, CancelScope* cancel) {
  CHECK(!waiting_);
  if (cancel != nullptr) {
    if (cancel->cancelled()) {
      wait_hook.unlink();
      status_ = cancel->reason();
      return false;
    }
    cancel->waiters_.push_back(*this);
  }
  coroutine_ = coroutine;
  waiting_ = true;
  return true;
}

void Waiter::Wake(absl::Status status) {
  if (!waiting_) return;
  waiting_ = false;
  wait_hook.unlink();
  cancel_hook.unlink();
  status_ = std::move(status);
  Executor::Current().Ready(*this);
}

CancelScope::CancelScope(CancelScope* parent) {
  if (parent == nullptr) return;
  reason_ = parent->reason_;
  parent->children_.push_back(*this);
}

void CancelScope::Cancel(absl::Status reason) {
  CHECK(!reason.ok());
  if (cancelled()) return;
  reason_ = std::move(reason);
  // A waiter that stays suspended (see Waiter::Cancelled) leaves the list too: it is told once.
  while (!waiters_.empty()) {
    Waiter& waiter = waiters_.front();
    waiters_.pop_front();
    waiter.Cancelled(reason_);
  }
  for (CancelScope& child : children_) child.Cancel(reason_);
}

}  // namespace runtime
