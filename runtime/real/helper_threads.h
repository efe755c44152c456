// HelperThreads: runs what blocks, in the order it was asked for, on the thread that rested last: it
// is the quickest to be there again.
//
// A call stands in line in its caller's own coroutine frame, so the line takes no memory of its own
// and is as bounded as the callers are. If that frame is destroyed, a call that has not begun
// leaves the line, and one that has begun is waited for, since it uses what the frame owns.
#ifndef RUNTIME_REAL_HELPER_THREADS_H_
#define RUNTIME_REAL_HELPER_THREADS_H_

#include <boost/intrusive/list.hpp>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "runtime/blocking.h"
#include "runtime/executor.h"
#include "runtime/real/mutex.h"

namespace real {

class HelperThreads final : public runtime::Blocking {
 public:
  // CHECKs count > 0.
  explicit HelperThreads(int count);
  // After the tasks that call it are gone.
  ~HelperThreads() override;

  // From a loop.
  runtime::Task<void> Run(absl::AnyInvocable<void()> work) override;

 private:
  class Call;
  struct InLine : boost::intrusive::list_base_hook<> {};

  // `rested` is the thread's own.
  void ThreadMain(Condition* rested);
  Call* NextCall(Condition* rested);

  Mutex mutex_;
  Condition ended_;  // A call did.
  // One for each thread, which waits for it while it rests; and those of the threads that rest, in
  // the order in which they began to.
  std::deque<Condition> rested_;
  std::vector<Condition*> resting_ ABSL_GUARDED_BY(mutex_);
  boost::intrusive::list<InLine, boost::intrusive::constant_time_size<false>> line_
      ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace real

#endif  // RUNTIME_REAL_HELPER_THREADS_H_
