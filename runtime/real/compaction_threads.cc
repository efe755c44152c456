#include "runtime/real/compaction_threads.h"

#include <utility>

#include "runtime/check.h"

namespace real {

CompactionThreads::CompactionThreads(int count_max) : count_max_(static_cast<size_t>(count_max)) {
  CHECK_GT(count_max, 0);
}

CompactionThreads::~CompactionThreads() {
  std::vector<std::thread> threads;
  {
    MutexLock lock(&mutex_);
    CHECK(line_.empty());
    stopping_ = true;
    threads.swap(threads_);
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads) thread.join();
}

void CompactionThreads::Schedule(void (*function)(void*), void* argument) {
  MutexLock lock(&mutex_);
  line_.push_back({function, argument});
  if (line_.size() > resting_ && threads_.size() < count_max_) {
    threads_.emplace_back([this] { ThreadMain(); });
  }
  changed_.NotifyOne();
}

void CompactionThreads::ThreadMain() {
  MutexLock lock(&mutex_);
  while (true) {
    ++resting_;
    while (line_.empty() && !stopping_) changed_.Wait(&mutex_);
    --resting_;
    if (line_.empty()) return;
    const Work work = line_.front();
    line_.pop_front();
    lock.Unlock();
    work.function(work.argument);
    lock.Lock();
  }
}

}  // namespace real
