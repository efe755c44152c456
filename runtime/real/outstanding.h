// Outstanding: counts what gRPC still works on, so that the end can wait for it.
#ifndef RUNTIME_REAL_OUTSTANDING_H_
#define RUNTIME_REAL_OUTSTANDING_H_

#include "absl/base/thread_annotations.h"
#include "runtime/check.h"
#include "runtime/real/mutex.h"

namespace real {

class Outstanding {
 public:
  void Begin() {
    MutexLock lock(&mutex_);
    ++count_;
  }
  // The last thing that a callback does with what the network owns.
  void End() {
    MutexLock lock(&mutex_);
    CHECK_GT(count_, 0);
    if (--count_ == 0) zero_.NotifyAll();
  }
  void WaitForNone() {
    MutexLock lock(&mutex_);
    while (count_ > 0) zero_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  Condition zero_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace real

#endif  // RUNTIME_REAL_OUTSTANDING_H_
