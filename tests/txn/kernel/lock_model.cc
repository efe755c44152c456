#include "tests/txn/kernel/lock_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace txn {

bool InConflict(const std::vector<Lock>& some, const std::vector<Lock>& others) {
  for (const Lock& a : some) {
    for (const Lock& b : others) {
      if (Conflicts(a.mode, b.mode) && Overlap(a.range, b.range)) return true;
    }
  }
  return false;
}

bool LockModel::Older(const TransactionId& a, const TransactionId& b) const {
  const Age& age_a = attempts_.at(a).age;
  const Age& age_b = attempts_.at(b).age;
  if (age_a == age_b) return b < a;
  return age_a < age_b;
}

bool LockModel::HoldsInConflict(const Attempt& attempt, const std::vector<Lock>& wants) const {
  return InConflict(attempt.held, wants);
}

bool LockModel::CanBeGranted(const TransactionId& transaction,
                             const std::vector<Lock>& wants) const {
  for (const auto& [id, attempt] : attempts_) {
    if (id != transaction && HoldsInConflict(attempt, wants)) return false;
  }
  for (const Request& request : requests_) {
    if (request.transaction != transaction && Older(request.transaction, transaction) &&
        InConflict(request.wants, wants)) {
      return false;
    }
  }
  return true;
}

LockAnswer LockModel::Acquire(RequestId request, const TransactionId& transaction, const Age& age,
                              const std::vector<Lock>& wants) {
  Attempt& attempt =
      attempts_.try_emplace(transaction, Attempt{.age = age, .held = {}}).first->second;
  if (attempt.wounded) return LockAnswer::kWounded;
  if (attempt.prepared) return LockAnswer::kPrepared;
  std::vector<TransactionId> victims;
  for (const auto& [id, other] : attempts_) {
    if (id != transaction && !other.prepared && Older(transaction, id) &&
        HoldsInConflict(other, wants)) {
      victims.push_back(id);
    }
  }
  std::sort(victims.begin(), victims.end(),
            [&](const TransactionId& a, const TransactionId& b) { return Older(a, b); });
  for (const TransactionId& victim : victims) {
    attempts_.at(victim).wounded = true;
    attempts_.at(victim).held.clear();
    wounded_.push_back(absl::StrCat("wounded ", ToText(victim), " for ", ToText(transaction)));
    EndRequestsOf(victim);
  }
  const bool granted = CanBeGranted(transaction, wants);
  if (granted) {
    attempt.held.insert(attempt.held.end(), wants.begin(), wants.end());
  } else {
    requests_.push_back({request, transaction, wants});
  }
  GrantAll();
  ForgetIdle();
  return granted ? LockAnswer::kGranted : LockAnswer::kWaits;
}

bool LockModel::MarkPrepared(const TransactionId& transaction) {
  const auto found = attempts_.find(transaction);
  if (found == attempts_.end() || found->second.wounded) return false;
  for (const Request& request : requests_) {
    if (request.transaction == transaction) return false;
  }
  found->second.prepared = true;
  return true;
}

void LockModel::Release(const TransactionId& transaction) {
  EndRequestsOf(transaction);
  attempts_.erase(transaction);
  GrantAll();
}

bool LockModel::CancelRequest(RequestId request) {
  const size_t erased = std::erase_if(requests_, [&](const Request& r) { return r.id == request; });
  GrantAll();
  ForgetIdle();
  return erased > 0;
}

void LockModel::Restore(const TransactionId& transaction, const Age& age,
                        const std::vector<KeyRange>& exclusive) {
  Attempt attempt{.age = age, .prepared = true, .held = {}};
  for (const KeyRange& range : exclusive) attempt.held.push_back({range, LockMode::kExclusive});
  attempts_.emplace(transaction, std::move(attempt));
}

void LockModel::EndRequestsOf(const TransactionId& transaction) {
  std::erase_if(requests_, [&](const Request& request) {
    if (request.transaction != transaction) return false;
    ended_.push_back(absl::StrCat("ended ", request.id.value()));
    return true;
  });
}

void LockModel::GrantAll() {
  // Again and again, until nothing can be granted any more.
  for (bool again = true; again;) {
    again = false;
    std::vector<Request> in_line = requests_;
    std::sort(in_line.begin(), in_line.end(), [&](const Request& a, const Request& b) {
      if (a.transaction == b.transaction) return a.id < b.id;
      return Older(a.transaction, b.transaction);
    });
    for (const Request& request : in_line) {
      if (!CanBeGranted(request.transaction, request.wants)) continue;
      std::vector<Lock>& held = attempts_.at(request.transaction).held;
      held.insert(held.end(), request.wants.begin(), request.wants.end());
      granted_.push_back(absl::StrCat("granted ", request.id.value()));
      std::erase_if(requests_, [&](const Request& r) { return r.id == request.id; });
      again = true;
    }
  }
}

void LockModel::ForgetIdle() {
  std::erase_if(attempts_, [&](const auto& entry) {
    const Attempt& attempt = entry.second;
    const bool waits = std::any_of(requests_.begin(), requests_.end(), [&](const Request& request) {
      return request.transaction == entry.first;
    });
    return attempt.held.empty() && !attempt.wounded && !attempt.prepared && !waits;
  });
}

std::vector<std::string> LockModel::TakeEffects() {
  std::vector<std::string> effects;
  for (std::vector<std::string>* const kind : {&wounded_, &ended_, &granted_}) {
    effects.insert(effects.end(), kind->begin(), kind->end());
    kind->clear();
  }
  return effects;
}

bool LockModel::Holds(const TransactionId& transaction, const Lock& lock,
                      const std::vector<Key>& places) const {
  const auto found = attempts_.find(transaction);
  if (found == attempts_.end()) return false;
  return std::all_of(places.begin(), places.end(), [&](const Key& place) {
    if (!lock.range.Contains(place)) return true;
    const std::vector<Lock>& held = found->second.held;
    return std::any_of(held.begin(), held.end(), [&](const Lock& h) {
      return h.mode >= lock.mode && h.range.Contains(place);
    });
  });
}

}  // namespace txn
