// LastCommits: when something was last committed in a range of keys (LastTS of TX-READ-ONLY, per
// key): a read at that time of keys on which nothing is prepared sees all of them, and need not
// wait.
//
// Place:       at every replica, a part of its state machine: a new leader has what the old one had.
// Bounded:     the keys with the latest commits are remembered. Of the others it knows one mark that
//              none of their commits is above, so an answer may be too late a time, never too early.
// Crash:       begins with a mark at the timestamp of what is applied.
// Concurrency: one loop.
// Paper:       Corbett et al. 2012, 4.2.4.
#ifndef TXN_KERNEL_LAST_COMMITS_H_
#define TXN_KERNEL_LAST_COMMITS_H_

#include <algorithm>
#include <cstddef>
#include <optional>

#include "txn/kernel/key_times.h"

namespace txn {

class LastCommits {
 public:
  explicit LastCommits(size_t keys_max) : keys_max_(keys_max) {}

  // Begins anew: nothing was committed above `mark`.
  void Reset(Timestamp mark) {
    keys_.Clear();
    mark_ = mark;
  }

  // A commit at `time` wrote `key`. Commits of one key come in the order of their times.
  void Add(const Key& key, Timestamp time) {
    keys_.Set(key, time);
    while (keys_.size() > keys_max_) mark_ = std::max(mark_, keys_.PopEarliest());
  }

  // Nothing was committed in the range above it.
  Timestamp LastIn(const KeyRange& range) const {
    const std::optional<Timestamp> latest = keys_.LatestIn(range);
    return latest ? std::max(*latest, mark_) : mark_;
  }

  Timestamp mark() const { return mark_; }
  size_t size() const { return keys_.size(); }

 private:
  const size_t keys_max_;
  KeyTimes keys_;
  Timestamp mark_ = Timestamp::Min();
};

}  // namespace txn

#endif  // TXN_KERNEL_LAST_COMMITS_H_
