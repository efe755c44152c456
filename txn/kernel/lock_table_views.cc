// What a lock table tells: who holds what, who waits for whom, and why somebody lost (TX-WHY).
#include <algorithm>
#include <limits>

#include "runtime/check.h"
#include "txn/kernel/lock_table.h"

namespace txn {
namespace {

// The first of `wants` that conflicts with `lock`; null if none does.
const Lock* FirstConflict(const std::vector<Lock>& wants, const Lock& lock) {
  const auto found = std::find_if(wants.begin(), wants.end(), [&](const Lock& want) {
    return Conflicts(want.mode, lock.mode) && Overlap(want.range, lock.range);
  });
  return found == wants.end() ? nullptr : &*found;
}

LockConflict::Party PartyOf(const LockOwner& owner, LockMode mode, bool holds, Duration lasted) {
  return {.transaction = owner.id,
          .age = owner.age,
          .mode = mode,
          .holds = holds,
          .prepared = owner.prepared,
          .lasted = lasted};
}

}  // namespace

bool LockTable::Holds(const TransactionId& transaction, const Lock& lock) const {
  const LockOwner* const owner = Find(transaction);
  return owner != nullptr && segments_.Holds(lock.range, owner, lock.mode);
}

const std::vector<HeldLock>& LockTable::HeldBy(const TransactionId& transaction) const {
  static const auto* const kNothing = new std::vector<HeldLock>();
  const LockOwner* const owner = Find(transaction);
  return owner == nullptr ? *kNothing : owner->held;
}

const LockConflict* LockTable::WoundOf(const TransactionId& transaction) const {
  const LockOwner* const owner = Find(transaction);
  return owner == nullptr ? nullptr : owner->wound.get();
}

bool LockTable::prepared(const TransactionId& transaction) const {
  const LockOwner* const owner = Find(transaction);
  return owner != nullptr && owner->prepared;
}

std::vector<LockView> LockTable::ListLocks(size_t locks_max) const {
  std::vector<LockView> views;
  for (const auto& [id, owner] : owners_) {
    for (const HeldLock& held : owner.held) {
      if (views.size() == locks_max) return views;
      views.push_back({id, owner.age, held.lock, held.since, owner.prepared});
    }
  }
  return views;
}

std::vector<WaitView> LockTable::ListWaits(size_t requests_max, size_t waits_for_max) const {
  std::vector<WaitView> views;
  for (const auto& [id, waiter] : waiters_) {
    if (views.size() == requests_max) break;
    WaitView view{id, waiter.owner->id, waiter.owner->age, waiter.wants, waiter.since, {}};
    for (const Blocker& blocker : BlockersOf(waiter, waits_for_max)) {
      view.waits_for.push_back(blocker.owner->id);
    }
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<LockTable::Blocker> LockTable::BlockersOf(const LockWaiter& waiter,
                                                      size_t seen_max) const {
  std::vector<Blocker> blockers;
  const auto collect = [&](const LockSegments::Segment& segment, LockMode mode) {
    for (const LockSegments::Holder& holder : segment.holders) {
      if (blockers.size() >= seen_max) return true;
      if (holder.owner != waiter.owner && Conflicts(holder.mode, mode)) {
        blockers.push_back({holder.owner, nullptr});
      }
    }
    for (const LockSegments::Waiter& other : segment.waiters) {
      if (blockers.size() >= seen_max) return true;
      if (!IsOlder(*other.waiter->owner, *waiter.owner)) break;
      if (Conflicts(other.mode, mode)) blockers.push_back({other.waiter->owner, other.waiter});
    }
    return false;
  };
  for (const Lock& want : waiter.wants) {
    const bool enough = segments_.AnyOf(want.range, [&](const LockSegments::Segment& segment) {
      return collect(segment, want.mode);
    });
    if (enough) break;
  }
  // The oldest first; of one owner, the lock that it holds before those that it waits for.
  std::sort(blockers.begin(), blockers.end(), [](const Blocker& a, const Blocker& b) {
    if (a.owner != b.owner) return IsOlder(*a.owner, *b.owner);
    if (a.waiter == nullptr || b.waiter == nullptr)
      return a.waiter == nullptr && b.waiter != nullptr;
    return a.waiter->id < b.waiter->id;
  });
  blockers.erase(std::unique(blockers.begin(), blockers.end(),
                             [](const Blocker& a, const Blocker& b) { return a.owner == b.owner; }),
                 blockers.end());
  return blockers;
}

LockConflict LockTable::WhyWounded(const LockOwner& victim, const LockOwner& winner,
                                   const std::vector<Lock>& wants, MonotonicTime now) const {
  for (const HeldLock& held : victim.held) {
    const Lock* const want = FirstConflict(wants, held.lock);
    if (want == nullptr) continue;
    return {.kind = LockConflict::Kind::kWounded,
            .loser = PartyOf(victim, held.lock.mode, true, now - held.since),
            .other = PartyOf(winner, want->mode, false, Duration::zero()),
            .range = Intersection(want->range, held.lock.range)};
  }
  CHECK(false) << "LockTable: " << victim.id << " holds nothing that " << winner.id << " wants";
  return {};
}

LockConflict LockTable::WhyWaited(const LockWaiter& waiter, MonotonicTime now) const {
  const std::vector<Blocker> blockers = BlockersOf(waiter, std::numeric_limits<size_t>::max());
  CHECK(!blockers.empty()) << "LockTable inv 2: request " << waiter.id << " waits for nobody";
  // Who holds is the cause, rather than who waits for the same.
  const auto holder = std::find_if(blockers.begin(), blockers.end(), [](const Blocker& blocker) {
    return blocker.waiter == nullptr;
  });
  const Blocker& blocker = holder == blockers.end() ? blockers.front() : *holder;
  const auto conflict = [&](const Lock& lock, MonotonicTime since) -> std::optional<LockConflict> {
    const Lock* const want = FirstConflict(waiter.wants, lock);
    if (want == nullptr) return std::nullopt;
    return LockConflict{
        .kind = LockConflict::Kind::kWaited,
        .loser = PartyOf(*waiter.owner, want->mode, false, now - waiter.since),
        .other = PartyOf(*blocker.owner, lock.mode, blocker.waiter == nullptr, now - since),
        .range = Intersection(want->range, lock.range)};
  };
  if (blocker.waiter == nullptr) {
    for (const HeldLock& held : blocker.owner->held) {
      if (auto found = conflict(held.lock, held.since)) return *std::move(found);
    }
  } else {
    for (const Lock& want : blocker.waiter->wants) {
      if (auto found = conflict(want, blocker.waiter->since)) return *std::move(found);
    }
  }
  CHECK(false) << "LockTable: request " << waiter.id << " waits for no lock of "
               << blocker.owner->id;
  return {};
}

}  // namespace txn
