#include "txn/kernel/lock_segments.h"

#include <algorithm>
#include <utility>

namespace txn {
namespace {

// Where `owner` is among the holders, or belongs.
template <typename Holders>
auto PlaceOf(Holders& holders, const LockOwner& owner) {
  return std::lower_bound(holders.begin(), holders.end(), owner,
                          [](const LockSegments::Holder& holder, const LockOwner& other) {
                            return IsOlder(*holder.owner, other);
                          });
}

// Where `waiter` is among the waiters, or belongs.
template <typename Waiters>
auto PlaceOf(Waiters& waiters, const LockWaiter& waiter) {
  return std::lower_bound(waiters.begin(), waiters.end(), waiter,
                          [](const LockSegments::Waiter& before, const LockWaiter& other) {
                            return GoesBefore(*before.waiter, other);
                          });
}

}  // namespace

void LockSegments::AddHolder(const KeyRange& range, LockOwner* owner, LockMode mode) {
  Add(range, [&](Segment& segment) {
    const auto place = PlaceOf(segment.holders, *owner);
    if (place != segment.holders.end() && place->owner == owner) {
      place->mode = std::max(place->mode, mode);
    } else {
      segment.holders.insert(place, {owner, mode});
    }
  });
}

void LockSegments::AddWaiter(const KeyRange& range, LockWaiter* waiter, LockMode mode) {
  Add(range, [&](Segment& segment) {
    const auto place = PlaceOf(segment.waiters, *waiter);
    if (place != segment.waiters.end() && place->waiter == waiter) {
      place->mode = std::max(place->mode, mode);
    } else {
      segment.waiters.insert(place, {waiter, mode});
    }
  });
}

void LockSegments::RemoveHolder(const KeyRange& range, const LockOwner* owner) {
  Remove(range, [&](Segment& segment) {
    const auto place = PlaceOf(segment.holders, *owner);
    if (place != segment.holders.end() && place->owner == owner) segment.holders.erase(place);
  });
}

void LockSegments::RemoveWaiter(const KeyRange& range, const LockWaiter* waiter) {
  Remove(range, [&](Segment& segment) {
    const auto place = PlaceOf(segment.waiters, *waiter);
    if (place != segment.waiters.end() && place->waiter == waiter) segment.waiters.erase(place);
  });
}

bool LockSegments::Holds(const KeyRange& range, const LockOwner* owner, LockMode mode) const {
  if (range.empty()) return true;
  // The keys before the first segment have no locks.
  const auto at = FirstOf(segments_, range);
  if (at == segments_.end() || at->first > range.start) return false;
  return !AnyOf(range, [&](const Segment& segment) {
    const auto place = PlaceOf(segment.holders, *owner);
    return place == segment.holders.end() || place->owner != owner || place->mode < mode;
  });
}

LockSegments::Map::iterator LockSegments::CutAt(Map::iterator next, const Key& key) {
  if (next != segments_.end() && next->first == key) return next;
  Segment segment = next == segments_.begin() ? Segment() : std::prev(next)->second;
  entries_ += segment.entries();
  return segments_.emplace_hint(next, key, std::move(segment));
}

template <typename AddTo>
void LockSegments::Add(const KeyRange& range, AddTo add) {
  if (range.empty()) return;
  const auto begin = CutAt(segments_.lower_bound(range.start), range.start);
  auto end = begin;
  while (IsIn(segments_, end, range)) ++end;
  if (!range.end.empty()) end = CutAt(end, range.end);
  for (auto at = begin; at != end; ++at) {
    entries_ -= at->second.entries();
    add(at->second);
    entries_ += at->second.entries();
  }
}

template <typename RemoveFrom>
void LockSegments::Remove(const KeyRange& range, RemoveFrom remove) {
  auto at = FirstOf(segments_, range);
  while (IsIn(segments_, at, range)) {
    entries_ -= at->second.entries();
    remove(at->second);
    entries_ += at->second.entries();
    at = JoinWithPrevious(at);
  }
  // The one after them may be like the last of them now.
  if (at != segments_.end()) JoinWithPrevious(at);
}

LockSegments::Map::iterator LockSegments::JoinWithPrevious(Map::iterator at) {
  const bool equal =
      at == segments_.begin() ? at->second.entries() == 0 : std::prev(at)->second == at->second;
  if (!equal) return std::next(at);
  entries_ -= at->second.entries();
  return segments_.erase(at);
}

}  // namespace txn
