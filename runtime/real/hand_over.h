// HandOver: marks where an object passes to gRPC and comes back on another thread.
//
// gRPC orders the two, but with locks of libraries that the thread sanitizer does not see into.
// Give() before each operation and Take() first in each callback show it that order, and so keep
// every access to our own objects checked. Costs an uncontended atomic each.
#ifndef RUNTIME_REAL_HAND_OVER_H_
#define RUNTIME_REAL_HAND_OVER_H_

#include <atomic>

namespace real {

class HandOver {
 public:
  void Give() { passes_.fetch_add(1, std::memory_order_release); }
  void Take() { passes_.load(std::memory_order_acquire); }

 private:
  std::atomic<unsigned> passes_ = 0;
};

}  // namespace real

#endif  // RUNTIME_REAL_HAND_OVER_H_
