#include "truetime/taint_list.h"

#include <algorithm>

#include "runtime/check.h"

namespace truetime {

TaintList::TaintList(size_t capacity)
    : capacity_(capacity), ring_(std::make_unique<Entry[]>(capacity)) {
  CHECK_GT(capacity, 0u);
}

void TaintList::Proven(uint64_t mark) { proven_ = std::max(proven_, mark); }

void TaintList::Taint() {
  const uint64_t end = Mark();
  uint64_t begin = proven_;
  if (end - begin > capacity_) {
    dropped_ += end - begin - capacity_;
    begin = end - capacity_;
  }
  for (uint64_t index = begin; index < end; ++index) {
    const Entry& entry = ring_[index % capacity_];
    if (entry.index.load(std::memory_order_acquire) != index + 1) {
      ++dropped_;
      continue;
    }
    tainted_.emplace_back(entry.commit.load(std::memory_order_relaxed));
    if (tainted_.size() > capacity_) {
      tainted_.pop_front();
      ++dropped_;
    }
  }
  proven_ = end;
}

}  // namespace truetime
