#include "tests/txn/kernel/lock_story.h"

#include <algorithm>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "runtime/check.h"
#include "tests/txn/kernel/lock_watchers.h"

namespace txn {
namespace {

constexpr size_t kAll = std::numeric_limits<size_t>::max();

int64_t Number(const std::string& word) {
  int64_t number = 0;
  CHECK(absl::SimpleAtoi(word, &number)) << "not a number: '" << word << "'";
  return number;
}

// "a" is a key, "a..c" are those from a to before c; either end may be left out.
KeyRange ParseRange(const std::string& word) {
  const size_t dots = word.find("..");
  if (dots == std::string::npos) return PointRange(word);
  return {word.substr(0, dots), word.substr(dots + 2)};
}

std::string RangeText(const KeyRange& range) {
  return IsPoint(range) ? range.start : absl::StrCat(range.start, "..", range.end);
}

// "shared a update b".
std::vector<Lock> ParseLocks(const std::vector<std::string>& words, size_t from) {
  std::vector<Lock> locks;
  for (size_t i = from; i + 1 < words.size(); i += 2) {
    LockMode mode = LockMode::kShared;
    if (words[i] == "update") mode = LockMode::kUpdate;
    if (words[i] == "exclusive") mode = LockMode::kExclusive;
    CHECK(words[i] == LockModeName(mode)) << "no such mode: '" << words[i] << "'";
    locks.push_back({ParseRange(words[i + 1]), mode});
  }
  return locks;
}

std::string LocksText(const std::vector<Lock>& locks) {
  return absl::StrJoin(locks, " ", [](std::string* out, const Lock& lock) {
    absl::StrAppend(out, LockModeName(lock.mode), " ", RangeText(lock.range));
  });
}

MonotonicTime At(int64_t milliseconds) { return MonotonicTime(milliseconds * 1'000'000); }

}  // namespace

template <typename... Parts>
void LockStory::Say(const Parts&... parts) {
  ((out_ << parts), ...) << '\n';
}

LockStory::LockStory() : table_(std::make_unique<LockTable>(options_)) {}

std::string LockStory::Do(const std::string& line) {
  out_.str("");
  const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  const std::string& command = words.at(0);
  if (command == "table") {
    Table(words);
  } else if (command == "begin" || command == "retry") {
    Begin(words);
  } else if (command == "advance") {
    now_ms_ += Number(words.at(1));
  } else if (command == "restore") {
    Restore(words);
  } else if (command == "cancel") {
    Cancel(words);
  } else if (command == "locks") {
    TellLocks();
  } else if (command == "waits") {
    TellWaits();
  } else if (command == "memory") {
    TellMemory();
  } else {
    CHECK(attempts_.contains(command)) << "no such command: '" << line << "'";
    DoAs(attempts_.at(command), words);
  }
  TellEffects();
  Look();
  return out_.str();
}

void LockStory::Table(const Words& words) {
  options_ = {};
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "without-wound_wait") {
      options_.without.wound_wait = true;
    } else if (words[i] == "locks") {
      options_.locks_max = static_cast<size_t>(Number(words.at(++i)));
    } else if (words[i] == "entries") {
      options_.entries_max = static_cast<size_t>(Number(words.at(++i)));
    } else if (words[i] == "wounds") {
      options_.wounds_max = static_cast<size_t>(Number(words.at(++i)));
    } else {
      CHECK(false) << "no such option: '" << words[i] << "'";
    }
  }
  table_ = std::make_unique<LockTable>(options_);
}

void LockStory::Begin(const Words& words) {
  // "begin A B" or "retry A as A2": each a millisecond after the one before.
  const bool retry = words.at(0) == "retry";
  for (size_t i = retry ? 3 : 1; i < words.size(); ++i) {
    Attempt attempt;
    attempt.id = {Timestamp(now_ms_ * 1'000'000), NodeId(1), ++sequence_};
    attempt.age = retry ? attempts_.at(words.at(1)).age : Age::Of(attempt.id);
    CHECK(attempts_.emplace(words[i], attempt).second) << words[i] << " has begun already";
    ++now_ms_;
  }
}

void LockStory::DoAs(const Attempt& attempt, const Words& words) {
  const std::string& verb = words.at(1);
  if (verb == "wants") {
    Acquire(attempt, words);
  } else if (verb == "prepares") {
    Say(table_->MarkPrepared(attempt.id) ? "prepared" : "refused");
  } else if (verb == "ends") {
    table_->Release(attempt.id, At(now_ms_));
  } else if (verb == "holds") {
    Say(table_->Holds(attempt.id, ParseLocks(words, 2).at(0)) ? "yes" : "no");
  } else if (verb == "why") {
    const LockConflict* const why = table_->WoundOf(attempt.id);
    Say(why == nullptr ? "not wounded" : WithNames(Explain(*why)));
  } else {
    CHECK(false) << "no such verb: '" << verb << "'";
  }
}

void LockStory::Acquire(const Attempt& attempt, const Words& words) {
  const RequestId request(static_cast<uint64_t>(Number(words.at(2))));
  const LockAnswer answer =
      table_->Acquire(request, attempt.id, attempt.age, ParseLocks(words, 3), At(now_ms_));
  if (answer == LockAnswer::kGranted) return Say("granted");
  if (answer != LockAnswer::kWaits) return Say("refused: ", LockAnswerName(answer));
  for (const WaitView& wait : table_->ListWaits(kAll, kAll)) {
    if (wait.request != request) continue;
    Say("waits for ", absl::StrJoin(wait.waits_for, ", ", [&](std::string* out, const auto& id) {
          absl::StrAppend(out, NameOf(id));
        }));
  }
}

void LockStory::Restore(const Words& words) {
  const Attempt& attempt = attempts_.at(words.at(1));
  std::vector<KeyRange> ranges;
  for (size_t i = 2; i < words.size(); ++i) ranges.push_back(ParseRange(words[i]));
  table_->Restore(attempt.id, attempt.age, ranges, At(now_ms_));
}

void LockStory::Cancel(const Words& words) {
  const RequestId request(static_cast<uint64_t>(Number(words.at(1))));
  const std::optional<LockConflict> why = table_->CancelRequest(request, At(now_ms_));
  Say(why ? WithNames(Explain(*why)) : "it does not wait");
}

void LockStory::TellLocks() {
  for (const LockView& view : table_->ListLocks(kAll)) {
    Say(NameOf(view.transaction), ": ", LocksText({view.lock}), view.prepared ? ", prepared" : "");
  }
}

void LockStory::TellWaits() {
  for (const WaitView& view : table_->ListWaits(kAll, kAll)) {
    Say("request ", view.request, " of ", NameOf(view.transaction), ": ", LocksText(view.wants),
        ", for ", absl::StrJoin(view.waits_for, ", ", [&](std::string* out, const auto& id) {
          absl::StrAppend(out, NameOf(id));
        }));
  }
  const std::vector<TransactionId> circle = FindCircle(*table_);
  if (circle.empty()) return;
  Say("DEADLOCK: ", absl::StrJoin(circle, " waits for ", [&](std::string* out, const auto& id) {
        absl::StrAppend(out, NameOf(id));
      }));
}

void LockStory::TellMemory() {
  Say(table_->transactions(), " transactions, ", table_->locks(), " locks in ",
      table_->segments().size(), " segments with ", table_->segments().entries(), " entries");
}

void LockStory::TellEffects() {
  const LockEffects effects = table_->TakeEffects();
  for (const LockConflict& why : effects.wounded) Say("wounded: ", WithNames(Explain(why)));
  for (const auto& ended : effects.ended) {
    Say("request ", ended.request, " of ", NameOf(ended.transaction), " has ended");
  }
  for (const RequestId granted : effects.granted) Say("request ", granted, " is granted");
}

void LockStory::Look() {
  const std::string wrong = CheckLockTable(*table_);
  if (wrong.empty() || options_.without.wound_wait) return;
  Say("BROKEN: ", WithNames(wrong));
  failed_ = true;
}

std::string LockStory::NameOf(const TransactionId& id) const {
  const auto named = std::find_if(attempts_.begin(), attempts_.end(),
                                  [&](const auto& entry) { return entry.second.id == id; });
  return named == attempts_.end() ? ToText(id) : named->first;
}

std::string LockStory::WithNames(std::string sentence) const {
  for (const auto& [name, attempt] : attempts_) {
    // What follows an id is never a part of one; of two, none begins another's text otherwise.
    absl::StrReplaceAll({{absl::StrCat(ToText(attempt.id), " "), absl::StrCat(name, " ")},
                         {absl::StrCat(ToText(attempt.id), ","), absl::StrCat(name, ",")},
                         {absl::StrCat(ToText(attempt.id), ":"), absl::StrCat(name, ":")}},
                        &sentence);
  }
  return sentence;
}

}  // namespace txn
