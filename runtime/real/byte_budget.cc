#include "runtime/real/byte_budget.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace real {

class ByteBudget::Awaiter final : public RemoteWaiter {
 public:
  explicit Awaiter(ByteBudget* budget) : RemoteWaiter(&Loop::Current()), budget_(budget) {}

  ~Awaiter() {
    MutexLock lock(&budget_->mutex_);
    std::erase(budget_->waiting_, link());
  }

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    MutexLock lock(&budget_->mutex_);
    if (budget_->IsHalfFree()) return false;
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    budget_->waiting_.push_back(link());
    return true;
  }
  absl::Status await_resume() { return std::move(status()); }

 private:
  ByteBudget* const budget_;
};

bool ByteBudget::TryTake(size_t bytes) {
  MutexLock lock(&mutex_);
  if (bytes > bytes_max_ - taken_) return false;
  taken_ += bytes;
  return true;
}

void ByteBudget::Give(size_t bytes) {
  std::vector<std::shared_ptr<RemoteWaiter::Link>> woken;
  {
    MutexLock lock(&mutex_);
    CHECK_LE(bytes, taken_);
    taken_ -= bytes;
    if (IsHalfFree()) woken.swap(waiting_);
  }
  for (auto& link : woken) RemoteWaiter::WakeRemotely(std::move(link));
}

runtime::Task<absl::Status> ByteBudget::HalfFree() { co_return co_await Awaiter(this); }

}  // namespace real
