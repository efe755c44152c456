// KeyTimes: keys, each with a timestamp, and the earliest and latest one in a range of keys.
//
// Cost:        a change is logarithmic. A question walks in the order of the keys over those in the
//              range and, side by side, in the order of the timestamps over all, until one of the
//              walks has the answer. So it is fast for narrow ranges, in which there are few keys,
//              and for wide ones, in which one of the first timestamps lies; in between it takes
//              at most twice as many steps as there are keys in the range.
// Concurrency: one loop.
#ifndef TXN_KERNEL_KEY_TIMES_H_
#define TXN_KERNEL_KEY_TIMES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/string_view.h"
#include "runtime/time.h"
#include "storage/key_range.h"

namespace txn {

using runtime::Timestamp;
using storage::Key;
using storage::KeyRange;

class KeyTimes {
 public:
  KeyTimes() = default;
  KeyTimes(const KeyTimes&) = delete;
  KeyTimes& operator=(const KeyTimes&) = delete;

  // Sets the timestamp of a key.
  void Set(const Key& key, Timestamp time);
  // Whether it was there.
  bool Erase(absl::string_view key);
  void Clear();

  std::optional<Timestamp> Find(absl::string_view key) const;
  // None: no key of it is there.
  std::optional<Timestamp> EarliestIn(const KeyRange& range) const;
  std::optional<Timestamp> LatestIn(const KeyRange& range) const;

  // Removes a key with the earliest timestamp of all, which it gives. CHECKs that there is one.
  Timestamp PopEarliest();

  size_t size() const { return times_.size(); }

 private:
  using ByTime = std::set<std::pair<Timestamp, absl::string_view>>;

  template <typename At, typename Better>
  std::optional<Timestamp> BestIn(const KeyRange& range, At by_time, At by_time_end,
                                  Better better) const;

  std::map<Key, Timestamp, std::less<>> times_;
  ByTime by_time_;  // Invariant: the same; the keys are those of times_.
};

}  // namespace txn

#endif  // TXN_KERNEL_KEY_TIMES_H_
