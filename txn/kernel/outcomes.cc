#include "txn/kernel/outcomes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "runtime/check.h"

namespace txn {

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  if (outcome.committed) return out << "committed at " << *outcome.committed;
  return out << "aborted: " << outcome.why;
}

void Outcomes::Restore(OutcomeMarks marks, Waiting waiting) {
  marks_ = marks;
  waiting_ = std::move(waiting);
  unwritten_.clear();
  recent_.clear();
  complete_above_ = marks_.newest;
}

Outcomes::Found Outcomes::Find(const TransactionId& id) const {
  if (const auto at = unwritten_.find(id); at != unwritten_.end()) {
    return {.outcome = at->second ? &*at->second : nullptr};
  }
  if (id <= complete_above_) return {.certain = false};
  const auto at = recent_.find(id);
  return {.outcome = at == recent_.end() ? nullptr : &at->second};
}

void Outcomes::Add(const TransactionId& id, Outcome outcome, std::vector<GroupId> waiting) {
  CHECK(!TooOld(id)) << id << " ended after it was forgotten";
  if (!waiting.empty()) waiting_[id] = std::move(waiting);
  unwritten_[id] = std::move(outcome);
  marks_.newest = std::max(marks_.newest, id);
}

Outcomes::Removal Outcomes::Forget(const TransactionId& id) {
  if (waiting_.erase(id) == 0) return {};
  if (!TooOld(id)) return {.waiting = true};
  unwritten_[id] = std::nullopt;
  return {.waiting = true, .outcome = true};
}

void Outcomes::ForgetBefore(Timestamp begun) {
  marks_.forgotten_before = std::max(marks_.forgotten_before, begun);
}

std::vector<TransactionId> Outcomes::Sweep(const std::vector<TransactionId>& stored,
                                           size_t count_max) {
  const TransactionId end{marks_.forgotten_before, {}, 0};
  std::set<TransactionId> present(stored.begin(), stored.end());
  for (const auto& [id, outcome] : unwritten_) {
    if (id < marks_.swept_before || id >= end) continue;
    if (outcome) {
      present.insert(id);
    } else {
      present.erase(id);
    }
  }
  std::vector<TransactionId> removed;
  auto at = present.begin();
  for (; at != present.end() && count_max > 0; ++at, --count_max) {
    if (!waiting_.contains(*at)) removed.push_back(*at);
  }
  marks_.swept_before = at != present.end() ? *at : std::max(marks_.swept_before, end);
  for (const TransactionId& id : removed) unwritten_[id] = std::nullopt;
  return removed;
}

void Outcomes::Written() {
  for (auto& [id, outcome] : unwritten_) {
    if (id <= complete_above_) continue;
    if (outcome) {
      recent_[id] = *std::move(outcome);
    } else {
      recent_.erase(id);
    }
  }
  unwritten_.clear();
  while (recent_.size() > recent_max_) {
    complete_above_ = recent_.begin()->first;
    recent_.erase(recent_.begin());
  }
}

}  // namespace txn
