// Lock: a range of keys and the mode in which it is wanted or held. It covers every key of the
// range, also those that do not exist, so that none can appear in what was read (TX-LOCKS,
// phantoms).
#ifndef TXN_KERNEL_LOCK_H_
#define TXN_KERNEL_LOCK_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "runtime/strong_id.h"
#include "storage/key_range.h"
#include "txn/kernel/lock_mode.h"

namespace txn {

using storage::Key;
using storage::KeyRange;

// Locks that are asked for at once, as their asker names them: no two that wait at one lock table
// have the same.
using RequestId = runtime::StrongId<struct RequestIdTag, uint64_t>;

struct Lock {
  KeyRange range;
  LockMode mode = LockMode::kShared;

  friend bool operator==(const Lock&, const Lock&) = default;
};

// The range of one key.
inline KeyRange PointRange(Key key) {
  Key after = storage::KeyAfter(key);
  return {std::move(key), std::move(after)};
}
inline bool IsPoint(const KeyRange& range) {
  return range.end.size() == range.start.size() + 1 && range.end.back() == '\0' &&
         range.end.compare(0, range.start.size(), range.start) == 0;
}

// The keys that are in both; an empty range if there are none.
inline KeyRange Intersection(const KeyRange& a, const KeyRange& b) {
  const Key& end = a.end.empty() || (!b.end.empty() && b.end < a.end) ? b.end : a.end;
  return {std::max(a.start, b.start), end};
}
inline bool Overlap(const KeyRange& a, const KeyRange& b) {
  const KeyRange both = Intersection(a, b);
  return !both.empty();
}

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_H_
