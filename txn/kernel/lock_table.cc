#include "txn/kernel/lock_table.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "runtime/check.h"

namespace txn {
namespace {

// Whether a transaction that is older than `owner` waits for something in conflict with `mode`.
bool OlderWaits(const LockSegments::Segment& segment, const LockOwner& owner, LockMode mode) {
  for (const LockSegments::Waiter& other : segment.waiters) {
    if (!IsOlder(*other.waiter->owner, owner)) return false;
    if (Conflicts(other.mode, mode)) return true;
  }
  return false;
}

}  // namespace

const char* LockAnswerName(LockAnswer answer) {
  switch (answer) {
    case LockAnswer::kGranted:
      return "granted";
    case LockAnswer::kWaits:
      return "waits";
    case LockAnswer::kWounded:
      return "wounded";
    case LockAnswer::kPrepared:
      return "prepared";
    case LockAnswer::kOverloaded:
      return "overloaded";
  }
  return "?";
}

// --- What happens ---

LockAnswer LockTable::Acquire(RequestId request, const TransactionId& transaction, const Age& age,
                              std::vector<Lock> wants, MonotonicTime now) {
  CHECK(!waiters_.contains(request)) << "request " << request << " waits already";
  std::erase_if(wants, [](const Lock& want) { return want.range.empty(); });
  LockOwner& owner =
      owners_.try_emplace(transaction, LockOwner{.id = transaction, .age = age}).first->second;
  if (owner.wound != nullptr) return LockAnswer::kWounded;
  if (owner.prepared) return LockAnswer::kPrepared;
  const Obstacles obstacles = Survey(owner, wants);
  if (IsFull(wants.size(), obstacles.growth_max)) {
    ++counts_.overloaded;
    ForgetIfIdle(&owner);
    return LockAnswer::kOverloaded;
  }
  std::vector<KeyRange> freed;
  for (LockOwner* const victim : obstacles.victims) {
    Wound(victim, WhyWounded(*victim, owner, wants, now), &freed);
  }
  // Only now: who was behind a victim is behind this one, too, if it is younger.
  if (obstacles.must_wait) {
    Wait(request, &owner, std::move(wants), now);
  } else {
    ++counts_.granted;
    Hold(&owner, std::move(wants), now);
    ForgetIfIdle(&owner);  // It asked for nothing.
  }
  GrantOn(freed, now);
  return obstacles.must_wait ? LockAnswer::kWaits : LockAnswer::kGranted;
}

bool LockTable::MarkPrepared(const TransactionId& transaction) {
  const auto found = owners_.find(transaction);
  if (found == owners_.end()) return false;
  LockOwner& owner = found->second;
  if (owner.wound != nullptr || !owner.waiting.empty()) return false;
  owner.prepared = true;
  return true;
}

void LockTable::Release(const TransactionId& transaction, MonotonicTime now) {
  const auto found = owners_.find(transaction);
  if (found == owners_.end()) return;
  std::vector<KeyRange> freed;
  Strip(&found->second, &freed);
  wounds_.erase(found->second.wound_number);
  owners_.erase(found);
  GrantOn(freed, now);
}

std::optional<LockConflict> LockTable::CancelRequest(RequestId request, MonotonicTime now) {
  const auto found = waiters_.find(request);
  if (found == waiters_.end()) return std::nullopt;
  ++counts_.cancelled;
  LockConflict why = WhyWaited(found->second, now);
  LockOwner* const owner = found->second.owner;
  std::vector<KeyRange> freed;
  StopWaiting(&found->second, &freed);
  ForgetIfIdle(owner);
  GrantOn(freed, now);
  return why;
}

void LockTable::Restore(const TransactionId& transaction, const Age& age,
                        const std::vector<KeyRange>& exclusive, MonotonicTime now) {
  const auto [found, added] =
      owners_.try_emplace(transaction, LockOwner{.id = transaction, .age = age});
  CHECK(added) << transaction << " is there already";
  LockOwner& owner = found->second;
  std::vector<Lock> locks;
  for (const KeyRange& range : exclusive) {
    if (!range.empty()) locks.push_back({range, LockMode::kExclusive});
  }
  const Obstacles obstacles = Survey(owner, locks);
  CHECK(obstacles.victims.empty() && !obstacles.must_wait)
      << "locks of " << transaction << " are taken";
  owner.prepared = true;
  Hold(&owner, std::move(locks), now);
}

LockEffects LockTable::TakeEffects() { return std::exchange(effects_, {}); }

// --- The rules ---

bool LockTable::MayWound(const LockOwner& requester, const LockOwner& holder) const {
  if (holder.prepared || options_.without.wound_wait) return false;
  return IsOlder(requester, holder);
}

LockTable::Obstacles LockTable::Survey(const LockOwner& owner,
                                       const std::vector<Lock>& wants) const {
  Obstacles obstacles;
  for (const Lock& want : wants) {
    size_t last_entries = 0;
    size_t visited = 0;
    segments_.ForEach(want.range, [&](const LockSegments::Segment& segment) {
      last_entries = segment.entries();
      // The cut at the begin copies the first segment, the cut at the end the last one.
      if (visited++ == 0) obstacles.growth_max += last_entries;
      for (const LockSegments::Holder& holder : segment.holders) {
        if (holder.owner == &owner || !Conflicts(holder.mode, want.mode)) continue;
        if (MayWound(owner, *holder.owner)) {
          obstacles.victims.push_back(holder.owner);
        } else {
          obstacles.must_wait = true;
        }
      }
      obstacles.must_wait = obstacles.must_wait || OlderWaits(segment, owner, want.mode);
    });
    // One entry in each segment, of which the cuts may add two.
    obstacles.growth_max += last_entries + visited + 2;
  }
  std::vector<LockOwner*>& victims = obstacles.victims;
  std::sort(victims.begin(), victims.end(),
            [](const LockOwner* a, const LockOwner* b) { return IsOlder(*a, *b); });
  victims.erase(std::unique(victims.begin(), victims.end()), victims.end());
  return obstacles;
}

bool LockTable::IsBeingCommitted(const KeyRange& range) const {
  return segments_.AnyOf(range, [](const LockSegments::Segment& segment) {
    return std::any_of(segment.holders.begin(), segment.holders.end(), [](const auto& holder) {
      return holder.mode == LockMode::kExclusive && holder.owner->prepared;
    });
  });
}

bool LockTable::IsBlocked(const LockOwner& owner, const std::vector<Lock>& wants) const {
  return std::any_of(wants.begin(), wants.end(), [&](const Lock& want) {
    return segments_.AnyOf(want.range, [&](const LockSegments::Segment& segment) {
      const auto& holders = segment.holders;
      return OlderWaits(segment, owner, want.mode) ||
             std::any_of(holders.begin(), holders.end(), [&](const LockSegments::Holder& holder) {
               return holder.owner != &owner && Conflicts(holder.mode, want.mode);
             });
    });
  });
}

bool LockTable::IsFull(size_t wants, size_t growth_max) const {
  return locks_ + wants > options_.locks_max ||
         segments_.entries() + growth_max > options_.entries_max;
}

// --- Records and segments ---

void LockTable::Hold(LockOwner* owner, std::vector<Lock> locks, MonotonicTime now) {
  for (Lock& lock : locks) {
    const bool first = owner->held.empty();
    if (!first && segments_.Holds(lock.range, owner, lock.mode)) continue;
    segments_.AddHolder(lock.range, owner, lock.mode);
    owner->held.push_back({std::move(lock), now});
    ++locks_;
  }
}

void LockTable::Wait(RequestId request, LockOwner* owner, std::vector<Lock> wants,
                     MonotonicTime now) {
  ++counts_.waited;
  LockWaiter& waiter =
      waiters_.try_emplace(request, LockWaiter{request, owner, std::move(wants), now})
          .first->second;
  owner->waiting.push_back(request);
  locks_ += waiter.wants.size();
  for (const Lock& want : waiter.wants) segments_.AddWaiter(want.range, &waiter, want.mode);
}

void LockTable::StopWaiting(LockWaiter* waiter, std::vector<KeyRange>* freed) {
  for (const Lock& want : waiter->wants) segments_.RemoveWaiter(want.range, waiter);
  for (Lock& want : waiter->wants) freed->push_back(std::move(want.range));
  locks_ -= waiter->wants.size();
  std::erase(waiter->owner->waiting, waiter->id);
  waiters_.erase(waiter->id);
}

void LockTable::Strip(LockOwner* owner, std::vector<KeyRange>* freed) {
  while (!owner->waiting.empty()) {
    const RequestId request = owner->waiting.front();
    effects_.ended.push_back({request, owner->id});
    StopWaiting(&waiters_.at(request), freed);
  }
  for (const HeldLock& held : owner->held) segments_.RemoveHolder(held.lock.range, owner);
  for (HeldLock& held : owner->held) freed->push_back(std::move(held.lock.range));
  locks_ -= owner->held.size();
  owner->held.clear();
  owner->held.shrink_to_fit();
}

void LockTable::Wound(LockOwner* victim, LockConflict why, std::vector<KeyRange>* freed) {
  CHECK(!victim->prepared) << "LockTable inv 4: " << victim->id << " is prepared";
  ++counts_.wounded;
  Strip(victim, freed);
  victim->wound = std::make_unique<LockConflict>(why);
  victim->wound_number = ++last_wound_;
  wounds_.emplace(victim->wound_number, victim);
  effects_.wounded.push_back(std::move(why));
  if (wounds_.size() > options_.wounds_max) {
    LockConflict forgotten;
    forgotten.loser = wounds_.begin()->second->wound->loser;
    *wounds_.begin()->second->wound = std::move(forgotten);
    wounds_.erase(wounds_.begin());
  }
}

void LockTable::GrantOn(const std::vector<KeyRange>& freed, MonotonicTime now) {
  if (waiters_.empty()) return;
  // Once is enough: a grant never lets another request go on, since who held it up as a waiter
  // holds it up as a holder.
  for (LockWaiter* const waiter : FirstInLine(freed)) {
    if (IsBlocked(*waiter->owner, waiter->wants)) continue;
    ++counts_.granted;
    effects_.granted.push_back(waiter->id);
    LockOwner* const owner = waiter->owner;
    std::vector<Lock> wants = waiter->wants;
    std::vector<KeyRange> ignored;
    StopWaiting(waiter, &ignored);
    Hold(owner, std::move(wants), now);
  }
}

std::vector<LockWaiter*> LockTable::FirstInLine(const std::vector<KeyRange>& freed) {
  std::vector<LockWaiter*> first;
  for (const KeyRange& range : freed) {
    segments_.ForEach(range, [&](const LockSegments::Segment& segment) {
      // Nobody goes past an exclusive lock that an older transaction waits for.
      const LockOwner* barrier = nullptr;
      for (const LockSegments::Waiter& waiter : segment.waiters) {
        if (barrier != nullptr && waiter.waiter->owner != barrier) break;
        first.push_back(waiter.waiter);
        if (waiter.mode == LockMode::kExclusive) barrier = waiter.waiter->owner;
      }
    });
  }
  std::sort(first.begin(), first.end(),
            [](const LockWaiter* a, const LockWaiter* b) { return GoesBefore(*a, *b); });
  first.erase(std::unique(first.begin(), first.end()), first.end());
  return first;
}

void LockTable::ForgetIfIdle(LockOwner* owner) {
  if (!owner->held.empty() || !owner->waiting.empty() || owner->prepared || owner->wound) return;
  owners_.erase(TransactionId(owner->id));
}

const LockOwner* LockTable::Find(const TransactionId& transaction) const {
  const auto found = owners_.find(transaction);
  return found == owners_.end() ? nullptr : &found->second;
}

}  // namespace txn
