// ByteBudget: bounds what waits in a queue, and tells those who wait for room.
//
// Any thread, except that each wait belongs to the loop it is made on.
#ifndef RUNTIME_REAL_BYTE_BUDGET_H_
#define RUNTIME_REAL_BYTE_BUDGET_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "runtime/real/mutex.h"
#include "runtime/real/remote_waiter.h"
#include "runtime/task.h"

namespace real {

class ByteBudget {
 public:
  explicit ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Takes `bytes` from the budget if they are there.
  bool TryTake(size_t bytes);
  // Gives them back. Holding no lock.
  void Give(size_t bytes);

  // Waits until at most half of the budget is taken. The budget outlives the wait.
  runtime::Task<absl::Status> HalfFree();

  size_t bytes_max() const { return bytes_max_; }

 private:
  class Awaiter;

  bool IsHalfFree() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return taken_ <= bytes_max_ / 2; }

  const size_t bytes_max_;
  Mutex mutex_;
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;  // At most bytes_max_.
  std::vector<std::shared_ptr<RemoteWaiter::Link>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace real

#endif  // RUNTIME_REAL_BYTE_BUDGET_H_
