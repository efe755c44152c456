// TaintList: which commits were stamped since the clock was last proven (TT-CONTRADICTION).
//
// Every commit timestamp is noted as it is given. A proof (this node's interval is inside that of a
// majority) clears those before it; if instead the clock turns out to have lied, all since the last
// proof are tainted: their snapshot stays consistent, but their real-time order is not sure.
//
// Noting is wait-free, from any thread. The memory is bounded: of more than `capacity` commits
// between two proofs, or tainted ones, only the last are known, and how many are not.
#ifndef TRUETIME_TAINT_LIST_H_
#define TRUETIME_TAINT_LIST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "runtime/time.h"

namespace truetime {

class TaintList {
 public:
  explicit TaintList(size_t capacity);

  // A commit got this timestamp. Any thread.
  void Stamped(runtime::Timestamp commit) {
    const uint64_t index = stamped_.fetch_add(1, std::memory_order_acq_rel);
    Entry& entry = ring_[index % capacity_];
    entry.commit.store(commit.nanoseconds(), std::memory_order_relaxed);
    entry.index.store(index + 1, std::memory_order_release);
  }

  // The rest is for one thread. A proof holds for what was stamped before the moment `Mark()` that
  // it rests on; what is stamped meanwhile waits for the next one.
  uint64_t Mark() const { return stamped_.load(std::memory_order_acquire); }
  void Proven(uint64_t mark);
  // The clock has lied: what was stamped since the last proof is tainted.
  void Taint();

  // Tainted commits, oldest first, and how many more there were that are not listed.
  const std::deque<runtime::Timestamp>& tainted() const { return tainted_; }
  uint64_t dropped() const { return dropped_; }
  uint64_t since_proof() const { return Mark() - proven_; }

 private:
  // `index` is one more than the number of the commit in it: one that is being noted just now, or
  // has been overwritten meanwhile, shows by that.
  struct Entry {
    std::atomic<uint64_t> index{0};
    std::atomic<int64_t> commit{0};
  };

  const size_t capacity_;
  const std::unique_ptr<Entry[]> ring_;  // The last `capacity_` commits.
  std::atomic<uint64_t> stamped_{0};
  uint64_t proven_ = 0;  // Invariant: proven_ <= stamped_.
  std::deque<runtime::Timestamp> tainted_;
  uint64_t dropped_ = 0;
};

}  // namespace truetime

#endif  // TRUETIME_TAINT_LIST_H_
