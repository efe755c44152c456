#include "txn/lock_ledger.h"

#include <algorithm>
#include <iterator>

namespace txn {

using storage::GroupId;

void RangeSet::Add(const KeyRange& range) {
  if (range.empty()) return;
  KeyRange whole = range;
  auto at = ends_.upper_bound(whole.start);
  if (at != ends_.begin()) {
    const auto before = std::prev(at);
    if (before->second.empty() || before->second >= whole.start) at = before;
  }
  while (at != ends_.end() && (whole.end.empty() || at->first <= whole.end)) {
    whole.start = std::min(whole.start, at->first);
    if (at->second.empty() || (!whole.end.empty() && at->second > whole.end)) {
      whole.end = at->second;
    }
    at = ends_.erase(at);
  }
  ends_.emplace(whole.start, whole.end);
}

bool RangeSet::Contains(const KeyRange& range) const {
  const auto after = ends_.upper_bound(range.start);
  if (after == ends_.begin()) return false;
  const auto found = std::prev(after);
  return KeyRange{found->first, found->second}.Contains(range);
}

const LockLedger::Group* LockLedger::Find(GroupId group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

std::vector<Lock> LockLedger::Missing(GroupId group, std::vector<Lock> wants) const {
  const Group* const known = Find(group);
  if (known == nullptr) return wants;
  std::erase_if(wants, [known](const Lock& lock) {
    return known->held[static_cast<size_t>(lock.mode)].Contains(lock.range);
  });
  return wants;
}

void LockLedger::Granted(GroupId group, const std::vector<Lock>& locks,
                         const isochron::txn::Ballot& ballot, runtime::MonotonicTime now) {
  Group& known = groups_[group];
  known.ballot = ballot;
  known.heard_at = now;
  for (const Lock& lock : locks) {
    for (size_t mode = 0; mode <= static_cast<size_t>(lock.mode); ++mode) {
      known.held[mode].Add(lock.range);
    }
  }
}

bool LockLedger::Holds(GroupId group) const {
  const Group* const known = Find(group);
  return known != nullptr && known->ballot.has_value();
}

}  // namespace txn
