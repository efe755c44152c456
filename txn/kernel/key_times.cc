#include "txn/kernel/key_times.h"

#include <functional>

#include "runtime/check.h"

namespace txn {

void KeyTimes::Set(const Key& key, Timestamp time) {
  const auto [at, added] = times_.try_emplace(key, time);
  if (!added) {
    if (at->second == time) return;
    by_time_.erase({at->second, at->first});
    at->second = time;
  }
  by_time_.emplace(time, at->first);
}

bool KeyTimes::Erase(absl::string_view key) {
  const auto at = times_.find(key);
  if (at == times_.end()) return false;
  by_time_.erase({at->second, at->first});
  times_.erase(at);
  return true;
}

void KeyTimes::Clear() {
  by_time_.clear();
  times_.clear();
}

std::optional<Timestamp> KeyTimes::Find(absl::string_view key) const {
  const auto at = times_.find(key);
  if (at == times_.end()) return std::nullopt;
  return at->second;
}

template <typename At, typename Better>
std::optional<Timestamp> KeyTimes::BestIn(const KeyRange& range, At by_time, At by_time_end,
                                          Better better) const {
  if (range.empty()) return std::nullopt;
  std::optional<Timestamp> best;
  for (auto by_key = times_.lower_bound(range.start);
       by_key != times_.end() && range.Contains(by_key->first); ++by_key) {
    // The first of all in the order of time that lies in the range is the best one in it.
    if (by_time != by_time_end) {
      if (range.Contains(by_time->second)) return by_time->first;
      ++by_time;
    }
    if (!best || better(by_key->second, *best)) best = by_key->second;
  }
  return best;
}

std::optional<Timestamp> KeyTimes::EarliestIn(const KeyRange& range) const {
  return BestIn(range, by_time_.begin(), by_time_.end(), std::less<>());
}

std::optional<Timestamp> KeyTimes::LatestIn(const KeyRange& range) const {
  return BestIn(range, by_time_.rbegin(), by_time_.rend(), std::greater<>());
}

Timestamp KeyTimes::PopEarliest() {
  CHECK(!by_time_.empty());
  const auto [time, key] = *by_time_.begin();
  Erase(key);
  return time;
}

}  // namespace txn
