// LockSegments: the key space cut where the locks on it begin and end. Between two cuts all keys
// have the same holders and waiters, so a lock is found by any key of it, and gaps are covered as
// keys are.
//
//     locks      [b, f) of T1,  d of T2          segments   b       d       d\0      f
//                                                           T1      T1 T2   T1       -
//
// Memory follows the locks: neighbours that have become equal are one again, and with no lock there
// is no segment. Belongs to a LockTable, which alone calls it.
#ifndef TXN_KERNEL_LOCK_SEGMENTS_H_
#define TXN_KERNEL_LOCK_SEGMENTS_H_

#include <cstddef>
#include <iterator>
#include <map>

#include "absl/container/inlined_vector.h"
#include "txn/kernel/lock_records.h"

namespace txn {

class LockSegments {
 public:
  struct Holder {
    LockOwner* owner;
    LockMode mode;

    friend bool operator==(const Holder&, const Holder&) = default;
  };
  struct Waiter {
    LockWaiter* waiter;
    LockMode mode;

    friend bool operator==(const Waiter&, const Waiter&) = default;
  };
  // Both oldest first, each owner and each request once: so equal segments compare equal.
  struct Segment {
    absl::InlinedVector<Holder, 2> holders;
    absl::InlinedVector<Waiter, 1> waiters;

    size_t entries() const { return holders.size() + waiters.size(); }
    friend bool operator==(const Segment&, const Segment&) = default;
  };

  // Adds to all keys of `range`; who is there already keeps the stronger mode.
  void AddHolder(const KeyRange& range, LockOwner* owner, LockMode mode);
  void AddWaiter(const KeyRange& range, LockWaiter* waiter, LockMode mode);
  // Removes from all segments that `range` touches. Neighbouring locks of one owner, or wants of
  // one request, can have become one segment: so whoever removes one of them removes them all.
  void RemoveHolder(const KeyRange& range, const LockOwner* owner);
  void RemoveWaiter(const KeyRange& range, const LockWaiter* waiter);

  // Whether `owner` holds `mode`, or a stronger one, on all keys of `range`.
  bool Holds(const KeyRange& range, const LockOwner* owner, LockMode mode) const;

  // Calls `visit` with the segments that `range` touches, in the order of the keys.
  template <typename Visit>
  void ForEach(const KeyRange& range, Visit visit) const {
    for (auto at = FirstOf(segments_, range); IsIn(segments_, at, range); ++at) visit(at->second);
  }

  // Whether `test` is true of one of them; asks no further than that.
  template <typename Test>
  bool AnyOf(const KeyRange& range, Test test) const {
    for (auto at = FirstOf(segments_, range); IsIn(segments_, at, range); ++at) {
      if (test(at->second)) return true;
    }
    return false;
  }

  size_t size() const { return segments_.size(); }
  // Holders and waiters of all segments.
  size_t entries() const { return entries_; }

 private:
  // By its first key; it reaches to the next one's, and the last to infinity.
  using Map = std::map<Key, Segment>;

  // The segment in which `range` begins, or the first one after that.
  template <typename AnyMap>
  static auto FirstOf(AnyMap& segments, const KeyRange& range) {
    if (range.empty()) return segments.end();
    auto at = segments.upper_bound(range.start);
    return at == segments.begin() ? at : std::prev(at);
  }
  template <typename AnyMap, typename At>
  static bool IsIn(AnyMap& segments, const At& at, const KeyRange& range) {
    return at != segments.end() && (range.end.empty() || at->first < range.end);
  }

  // Makes a segment begin at `key`; `next` is the first one that begins there or later.
  Map::iterator CutAt(Map::iterator next, const Key& key);
  // Calls `add` with each segment of `range`, which begins and ends at cuts.
  template <typename AddTo>
  void Add(const KeyRange& range, AddTo add);
  // Calls `remove` with each segment that `range` touches, and joins those that are equal now.
  template <typename RemoveFrom>
  void Remove(const KeyRange& range, RemoveFrom remove);
  // Removes the segment if it equals the one before it; the next one.
  Map::iterator JoinWithPrevious(Map::iterator at);

  Map segments_;
  size_t entries_ = 0;  // Invariant: the sum over segments_.
};

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_SEGMENTS_H_
