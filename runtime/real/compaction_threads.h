// CompactionThreads: where the stores of one world write their tables and merge them.
//
// LevelDB's own Env has one such thread for all of a process, so a store with much to merge holds up
// the writers of all others: they wait when both their buffers are full.
#ifndef RUNTIME_REAL_COMPACTION_THREADS_H_
#define RUNTIME_REAL_COMPACTION_THREADS_H_

#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "runtime/real/mutex.h"

namespace real {

class CompactionThreads {
 public:
  // At most so many at a time. A thread begins when there is work for it.
  explicit CompactionThreads(int count_max);
  // After all that gave it work have seen that done.
  ~CompactionThreads();
  CompactionThreads(const CompactionThreads&) = delete;
  CompactionThreads& operator=(const CompactionThreads&) = delete;

  // As leveldb::Env::Schedule(). Each store has at most one piece of work here.
  void Schedule(void (*function)(void*), void* argument);

 private:
  struct Work {
    void (*function)(void*);
    void* argument;
  };

  void ThreadMain();

  const size_t count_max_;
  Mutex mutex_;
  Condition changed_;
  std::deque<Work> line_ ABSL_GUARDED_BY(mutex_);
  size_t resting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace real

#endif  // RUNTIME_REAL_COMPACTION_THREADS_H_
