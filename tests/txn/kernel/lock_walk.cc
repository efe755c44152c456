#include "tests/txn/kernel/lock_walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/txn/kernel/lock_watchers.h"

namespace txn {
namespace {

// The model's words for the table's effects.
std::vector<std::string> InWords(const LockEffects& effects) {
  std::vector<std::string> words;
  words.reserve(effects.wounded.size() + effects.ended.size() + effects.granted.size());
  for (const LockConflict& why : effects.wounded) {
    words.push_back(absl::StrCat("wounded ", ToText(why.loser.transaction), " for ",
                                 ToText(why.other.transaction)));
  }
  for (const auto& ended : effects.ended) {
    words.push_back(absl::StrCat("ended ", ended.request.value()));
  }
  for (const RequestId granted : effects.granted) {
    words.push_back(absl::StrCat("granted ", granted.value()));
  }
  return words;
}

}  // namespace

LockWalk::LockWalk(uint64_t seed)
    : random_(seed),
      keys_(random_.Uniform(1, 10)),
      attempts_max_(static_cast<size_t>(random_.Uniform(2, 12))),
      ranges_(random_.Chance(0.3) ? 0 : random_.Fraction()),
      exclusive_(random_.Fraction()) {
  places_.emplace_back();
  for (int64_t i = 0; i < keys_; ++i) {
    const Key key(1, static_cast<char>('a' + i));
    places_.push_back(key);
    places_.push_back(storage::KeyAfter(key));
  }
}

std::string LockWalk::Run(int steps) {
  RestoreSome();
  std::string wrong = Compare();
  for (int step = 0; step < steps && wrong.empty(); ++step) {
    wrong = Step();
    if (wrong.empty()) wrong = Compare();
    if (!wrong.empty()) absl::StrAppend(&wrong, " (step ", step, ")");
  }
  return wrong.empty() ? EndAll() : wrong;
}

void LockWalk::RestoreSome() {
  // Prepared transactions of the log, which cannot be in conflict.
  for (size_t i = 1; i + 1 < places_.size(); i += 2) {
    if (!random_.Chance(0.2)) continue;
    const Attempt attempt = Begin();
    const std::vector<KeyRange> ranges = {{places_[i], places_[i + 1]}};
    table_.Restore(attempt.id, attempt.age, ranges, now_);
    model_.Restore(attempt.id, attempt.age, ranges);
    attempts_.push_back(attempt);
  }
}

std::string LockWalk::Step() {
  now_ = now_ + Duration(random_.Uniform(0, 10));
  if (attempts_.empty() || (attempts_.size() < attempts_max_ && random_.Chance(0.2))) {
    attempts_.push_back(Begin());
  }
  const auto place = static_cast<size_t>(random_.Uniform(0, int64_t(attempts_.size()) - 1));
  const Attempt attempt = attempts_[place];
  const double what = random_.Fraction();
  if (what < 0.6) return Acquire(attempt);
  if (what < 0.7) return Prepare(attempt);
  if (what < 0.85) return Release(place);
  if (what < 0.93) return Cancel();
  return Ask(attempt);
}

std::string LockWalk::Acquire(const Attempt& attempt) {
  const RequestId request(++requests_);
  const std::vector<Lock> wants = SomeLocks();
  const LockAnswer answer = table_.Acquire(request, attempt.id, attempt.age, wants, now_);
  const LockAnswer expected = model_.Acquire(request, attempt.id, attempt.age, wants);
  if (answer == expected) return "";
  // Say what is wrong with the table as such, if that can be seen.
  if (std::string wrong = CheckLockTable(table_); !wrong.empty()) return wrong;
  return absl::StrCat("TX-LOCKS: Acquire() answered ", LockAnswerName(answer), ", not ",
                      LockAnswerName(expected));
}

std::string LockWalk::Prepare(const Attempt& attempt) {
  const bool prepared = table_.MarkPrepared(attempt.id);
  return prepared == model_.MarkPrepared(attempt.id) ? "" : "MarkPrepared() differs";
}

std::string LockWalk::Release(size_t place) {
  const Attempt attempt = attempts_[place];
  attempts_.erase(attempts_.begin() + static_cast<ptrdiff_t>(place));
  // Sometimes the next attempt meets what is left of this one.
  ended_.push_back(attempt.age);
  if (random_.Chance(0.1)) attempts_.push_back(Begin());
  table_.Release(attempt.id, now_);
  model_.Release(attempt.id);
  return "";
}

std::string LockWalk::Cancel() {
  if (requests_ == 0) return "";
  RequestId request(static_cast<uint64_t>(random_.Uniform(1, int64_t(requests_))));
  if (!model_.requests().empty() && random_.Chance(0.9)) request = model_.requests().back().id;
  const std::optional<LockConflict> why = table_.CancelRequest(request, now_);
  if (why.has_value() != model_.CancelRequest(request)) return "CancelRequest() differs";
  if (why && Explain(*why).empty()) return "CancelRequest() gives no reason";
  return "";
}

std::string LockWalk::Ask(const Attempt& attempt) {
  for (int i = 0; i < 10; ++i) {
    const Lock lock{SomeRange(), SomeMode()};
    if (table_.Holds(attempt.id, lock) != model_.Holds(attempt.id, lock, places_)) {
      return absl::StrCat("Holds() is wrong for ", PrintKeys(lock.range));
    }
  }
  const auto found = model_.attempts().find(attempt.id);
  const bool wounded = found != model_.attempts().end() && found->second.wounded;
  return (table_.WoundOf(attempt.id) != nullptr) == wounded ? "" : "WoundOf() is wrong";
}

std::string LockWalk::EndAll() {
  while (!model_.attempts().empty()) {
    // Prepared ones end first: they need nothing. Then the oldest has all that it wants.
    auto next = model_.attempts().begin();
    for (auto at = next; at != model_.attempts().end(); ++at) {
      const bool sooner = at->second.prepared == next->second.prepared
                              ? model_.Older(at->first, next->first)
                              : at->second.prepared;
      if (sooner) next = at;
    }
    const TransactionId id = next->first;
    for (const LockModel::Request& request : model_.requests()) {
      if (request.transaction == id) return "TX-LOCKS: the oldest waits, and nobody is prepared";
    }
    table_.Release(id, now_);
    model_.Release(id);
    if (std::string wrong = Compare(); !wrong.empty()) return absl::StrCat(wrong, " (at the end)");
  }
  const bool empty = table_.transactions() == 0 && table_.waiting() == 0 && table_.locks() == 0 &&
                     table_.segments().size() == 0 && table_.segments().entries() == 0;
  return empty ? "" : "something is left when all have ended";
}

std::string LockWalk::Compare() {
  const LockEffects effects = table_.TakeEffects();
  for (const LockConflict& why : effects.wounded) {
    const auto victim = model_.attempts().find(why.loser.transaction);
    if (victim != model_.attempts().end() && victim->second.prepared) {
      return "TX-LOCKS: a prepared transaction was wounded";
    }
    if (Explain(why).empty()) return "a wound without a reason";
  }
  if (std::string wrong = CheckLockTable(table_); !wrong.empty()) return wrong;
  const std::vector<std::string> words = InWords(effects);
  const std::vector<std::string> expected = model_.TakeEffects();
  if (words != expected) {
    return absl::StrCat("effects are [", absl::StrJoin(words, ", "), "], not [",
                        absl::StrJoin(expected, ", "), "]");
  }
  if (table_.transactions() != model_.attempts().size()) return "it remembers other transactions";
  return "";
}

LockWalk::Attempt LockWalk::Begin() {
  Attempt attempt;
  attempt.id = {Timestamp(1000 + now_.nanoseconds()),
                NodeId(static_cast<uint32_t>(random_.Uniform(1, 3))), ++sequence_};
  attempt.age = Age::Of(attempt.id);
  if (!ended_.empty() && random_.Chance(0.5)) {
    attempt.age = ended_[static_cast<size_t>(random_.Uniform(0, int64_t(ended_.size()) - 1))];
  }
  return attempt;
}

std::vector<Lock> LockWalk::SomeLocks() {
  std::vector<Lock> locks;
  for (int64_t count = random_.Chance(0.7) ? 1 : random_.Uniform(2, 4); count > 0; --count) {
    locks.push_back({SomeRange(), SomeMode()});
  }
  return locks;
}

KeyRange LockWalk::SomeRange() {
  if (!random_.Chance(ranges_)) {
    return PointRange(Key(1, static_cast<char>('a' + random_.Uniform(0, keys_ - 1))));
  }
  const auto count = static_cast<int64_t>(places_.size());
  auto begin = static_cast<size_t>(random_.Uniform(0, count - 1));
  auto end = static_cast<size_t>(random_.Uniform(0, count));
  if (begin == end) ++end;
  if (begin > end) std::swap(begin, end);
  return {places_[begin], end < places_.size() ? places_[end] : Key()};
}

LockMode LockWalk::SomeMode() {
  if (random_.Chance(exclusive_)) return LockMode::kExclusive;
  return random_.Chance(0.3) ? LockMode::kUpdate : LockMode::kShared;
}

}  // namespace txn
