#include "workload/checker/timestamp_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/checker/internal_consistency.h"

namespace checker {

TimestampCheck::TimestampCheck(const History& history, Level order, AnomalyLog* log)
    : history_(history),
      order_(order),
      log_(log),
      operations_(history),
      timestamps_(history.transactions().size(), kUntold),
      keys_(history.keys().size()) {}

absl::Status TimestampCheck::Run() {
  RETURN_IF_ERROR(Collect());
  Replay();
  CheckOrder();
  return absl::OkStatus();
}

bool TimestampCheck::Writes(TxnId id) const {
  const absl::Span<const Operation> operations = history_.operations(id);
  return std::any_of(operations.begin(), operations.end(), [](const Operation& operation) {
    return operation.kind != OperationKind::kRead;
  });
}

std::string TimestampCheck::Describe(TxnId id) const {
  if (timestamps_[id] == kUntold) return absl::StrCat(TxnName(id), " (outcome unknown)");
  return absl::StrCat(TxnName(id), " (timestamp ", timestamps_[id], ")");
}

absl::Status TimestampCheck::Collect() {
  for (TxnId id = 0; id < timestamps_.size(); ++id) {
    const Transaction& transaction = history_.transaction(id);
    if (transaction.outcome == Outcome::kFail || transaction.operation_count == 0) continue;
    const bool writes = Writes(id);
    int64_t timestamp = transaction.commit_timestamp;
    if (!writes && transaction.read_timestamp != kUntold) timestamp = transaction.read_timestamp;
    if (timestamp != kUntold) {
      timestamps_[id] = timestamp;
      serial_.push_back(id);
    } else if (transaction.outcome == Outcome::kOk) {
      return absl::InvalidArgumentError(absl::StrCat(
          TxnName(id), " of process ", transaction.process, " (", DescribeOperations(history_, id),
          ") has no ", writes ? "commit-timestamp" : "read-timestamp",
          ", and with timestamps every transaction that is ok needs one"));
    } else if (writes) {
      unknown_.emplace(id, Window());
      for (const Operation& operation : history_.operations(id)) {
        if (operation.kind == OperationKind::kRead) continue;
        unknown_writes_.try_emplace({operation.key, operation.value}, id);
      }
    }
  }
  std::sort(serial_.begin(), serial_.end(),
            [&](TxnId a, TxnId b) { return std::pair(PlaceOf(a), a) < std::pair(PlaceOf(b), b); });
  return absl::OkStatus();
}

// Those at one place read what was there before, and then write.
void TimestampCheck::Replay() {
  for (size_t begin = 0; begin < serial_.size();) {
    size_t end = begin + 1;
    while (end < serial_.size() && PlaceOf(serial_[end]) == PlaceOf(serial_[begin])) ++end;
    const absl::Span<const TxnId> group = absl::MakeConstSpan(serial_).subspan(begin, end - begin);
    for (const TxnId id : group) {
      if (history_.transaction(id).outcome == Outcome::kOk) CheckReads(id);
    }
    for (const TxnId id : group) Apply(id);
    // Who only reads is behind those that wrote at the same timestamp, and has none beside it.
    if (group.size() > 1 && !PlaceOf(group.front()).reads_only) CheckTies(group);
    begin = end;
  }
}

void TimestampCheck::CheckReads(TxnId id) {
  operations_.ForEach(id, [&](KeyId key, KeyOperations on_key) {
    if (history_.datatype() == Datatype::kLists) {
      if (!CheckListsInternally(history_, id, on_key, log_)) return;
      const auto list = ListFromOthers(history_, on_key);
      if (!list.has_value()) return;
      CheckList(id, key, *list);
    } else {
      if (!CheckRegisterInternally(history_, id, on_key, log_)) return;
      if (on_key[0]->kind != OperationKind::kRead) return;
      CheckRegister(id, *on_key[0]);
    }
    keys_[key].last_read = std::max(keys_[key].last_read, timestamps_[id]);
  });
}

void TimestampCheck::CheckList(TxnId id, KeyId key, absl::Span<const int64_t> list) {
  const std::vector<Version>& versions = keys_[key].versions;
  const auto first_difference = [&] {
    size_t i = 0;
    while (i < list.size() && i < versions.size() && list[i] == versions[i].value) ++i;
    return i;
  };
  size_t at = first_difference();
  if (at == list.size() && at == versions.size()) return;
  if (!unknown_.empty()) {
    AdoptList(id, key, list);
    at = first_difference();
    if (at == list.size() && at == versions.size()) return;
  }
  const std::string read =
      absl::StrCat(Describe(id), " read ", Name(key), " = ", DescribeList(list));
  // Either it lacks an element of its time, or it has one that is not.
  const bool lacks =
      at < versions.size() && std::find(list.begin(), list.end(), versions[at].value) == list.end();
  const bool in_time = at == list.size() ||
                       std::any_of(versions.begin(), versions.end(), [&](const Version& version) {
                         return version.value == list[at];
                       });
  if (!lacks || !in_time) {
    LogRead(id, key, list[at], read);
    return;
  }
  const Version& missed = versions[at];
  log_->Add("stale-read", [&] {
    return Anomaly{.sentence = absl::StrCat(read, ", without the ", missed.value, " that ",
                                            Describe(missed.writer), " had appended"),
                   .transactions = {missed.writer, id}};
  });
}

void TimestampCheck::CheckRegister(TxnId id, const Operation& read) {
  const std::vector<Version>& versions = keys_[read.key].versions;
  const int64_t expected = versions.empty() ? kNil : versions.back().value;
  if (read.value == expected || AdoptRegister(id, read.key, read.value)) return;
  const std::string sentence =
      absl::StrCat(Describe(id), " read ", Name(read.key), " = ", DescribeValue(read.value));
  const bool was_there = std::any_of(versions.begin(), versions.end(), [&](const Version& version) {
    return version.value == read.value;
  });
  if (read.value != kNil && !was_there) {
    LogRead(id, read.key, read.value, sentence);
    return;
  }
  log_->Add("stale-read", [&] {
    return Anomaly{
        .sentence = absl::StrCat(sentence, ", and not the ", versions.back().value, " that ",
                                 Describe(versions.back().writer), " had written over it"),
        .transactions = {versions.back().writer, id}};
  });
}

// `seen` has no place where it was read: why, depends on who wrote it.
void TimestampCheck::LogRead(TxnId reader, KeyId key, int64_t seen, const std::string& sentence) {
  const TxnId writer = FindWriter(key, seen);
  if (writer == kNoTxn) {
    log_->Add("garbage-read", [&] {
      return Anomaly{.sentence = absl::StrCat(sentence, ", but nobody wrote ", seen, " there"),
                     .transactions = {reader}};
    });
    return;
  }
  const bool aborted = history_.transaction(writer).outcome == Outcome::kFail;
  const bool later = timestamps_[writer] != kUntold && PlaceOf(writer) >= PlaceOf(reader);
  const bool middle = !aborted && !later && history_.datatype() == Datatype::kRegisters &&
                      timestamps_[writer] != kUntold;
  log_->Add(aborted  ? "G1a"
            : later  ? "future-read"
            : middle ? "G1b"
                     : "incompatible-order",
            [&] {
              return Anomaly{
                  .sentence = absl::StrCat(sentence, aborted ? " with " : ", where ", seen,
                                           " is what ", Describe(writer), " wrote",
                                           aborted  ? ", and that was aborted"
                                           : later  ? ", which is later"
                                           : middle ? " and then overwrote itself"
                                                    : ", which is out of the order of timestamps"),
                  .transactions = {writer, reader}};
            });
}

TxnId TimestampCheck::FindWriter(KeyId key, int64_t value) {
  if (writers_.empty()) {
    for (TxnId id = 0; id < timestamps_.size(); ++id) {
      for (const Operation& operation : history_.operations(id)) {
        if (operation.kind == OperationKind::kRead) continue;
        writers_.try_emplace({operation.key, operation.value}, id);
      }
    }
  }
  const auto found = writers_.find({key, value});
  return found == writers_.end() ? kNoTxn : found->second;
}

void TimestampCheck::Apply(TxnId id) {
  operations_.ForEach(id, [&](KeyId key, KeyOperations on_key) {
    std::vector<Version>& versions = keys_[key].versions;
    bool wrote = false;
    for (const Operation* operation : on_key) {
      if (operation->kind == OperationKind::kRead) continue;
      // Of a register only the last write of a transaction is a version.
      if (wrote && operation->kind == OperationKind::kWrite) versions.pop_back();
      versions.push_back({operation->value, timestamps_[id], id});
      wrote = true;
    }
  });
}

void TimestampCheck::CheckTies(absl::Span<const TxnId> group) {
  for (const TxnId id : group) {
    operations_.ForEach(id, [&](KeyId key, KeyOperations) {
      const std::vector<Version>& versions = keys_[key].versions;
      for (size_t i = versions.size(); i-- > 0 && versions[i].timestamp == timestamps_[id];) {
        // Of two writers each finds the other.
        if (versions[i].writer == id) continue;
        log_->Add("timestamp-tie", [&, other = versions[i].writer] {
          return Anomaly{
              .sentence = absl::StrCat(TxnName(id), " and ", TxnName(other), " both use ",
                                       Name(key), ", at least one writes ",
                                       "there, and both have the timestamp ", timestamps_[id]),
              .transactions = {id, other}};
        });
        return;
      }
    });
  }
}

bool TimestampCheck::Adopt(TxnId reader, KeyId key, int64_t value, size_t position) {
  const auto found = unknown_writes_.find({key, value});
  if (found == unknown_writes_.end()) return false;
  KeyState& state = keys_[key];
  const bool at_end = position == state.versions.size();
  // Somebody read what follows, and did not see this before it.
  if (!at_end && state.last_read >= state.versions[position].timestamp) return false;
  const int64_t high = !at_end          ? state.versions[position].timestamp - 1
                       : Writes(reader) ? timestamps_[reader] - 1
                                        : timestamps_[reader];
  int64_t low = state.last_read;
  if (position > 0) {
    // Of another one whose outcome is unknown, the timestamp is a bound from above.
    const Version& before = state.versions[position - 1];
    const auto unknown = unknown_.find(before.writer);
    low = std::max(low, unknown == unknown_.end() ? before.timestamp : unknown->second.low);
  }
  Window& window = unknown_[found->second];
  window.low = std::max(window.low, low);
  window.high = std::min(window.high, high);
  if (window.low >= window.high) {
    log_->Add("fractured-read", [&, writer = found->second] {
      return Anomaly{.sentence = absl::StrCat(
                         "what ", TxnName(writer), " wrote, whose outcome is unknown, was seen by ",
                         Describe(reader), ", and it fits no single timestamp: it would be above ",
                         window.low, " and at most ", window.high),
                     .transactions = {writer, reader}};
    });
  }
  state.versions.insert(state.versions.begin() + static_cast<std::ptrdiff_t>(position),
                        {value, std::max(high, low), found->second});
  return true;
}

void TimestampCheck::AdoptList(TxnId reader, KeyId key, absl::Span<const int64_t> list) {
  const std::vector<Version>& versions = keys_[key].versions;
  for (size_t i = 0; i < list.size(); ++i) {
    if (i < versions.size() && versions[i].value == list[i]) continue;
    if (!Adopt(reader, key, list[i], i)) return;
  }
}

bool TimestampCheck::AdoptRegister(TxnId reader, KeyId key, int64_t value) {
  const std::vector<Version>& versions = keys_[key].versions;
  const auto found = unknown_writes_.find({key, value});
  if (value == kNil || found == unknown_writes_.end()) return false;
  const bool seen = std::any_of(versions.begin(), versions.end(), [&](const Version& version) {
    return version.writer == found->second;
  });
  return !seen && Adopt(reader, key, value, versions.size());
}

void TimestampCheck::CheckOrder() {
  if (order_ == Level::kPlain) return;
  std::vector<std::pair<TxnId, bool>> events(history_.event_count(), {kNoTxn, false});
  for (TxnId id = 0; id < timestamps_.size(); ++id) {
    const Transaction& transaction = history_.transaction(id);
    if (timestamps_[id] == kUntold && !unknown_.contains(id)) continue;
    if (!transaction.stale) events[transaction.begun] = {id, false};
    if (transaction.outcome == Outcome::kOk) events[transaction.ended] = {id, true};
  }
  // Of all processes together in real time, else of each by itself.
  absl::flat_hash_map<int64_t, Frontier> frontiers;
  std::vector<Place> passed(timestamps_.size());  // Where each that began is at the earliest.
  for (const auto& [id, is_end] : events) {
    if (id == kNoTxn) continue;
    Frontier& frontier =
        frontiers[order_ == Level::kRealTime ? 0 : history_.transaction(id).process];
    if (!is_end) {
      CheckBegin(id, frontier);
      passed[id] = Pass(id, frontier).place;
    } else if (const Place place = std::max(passed[id], Shown(id)); place > frontier.place) {
      frontier = {place, id};
    }
  }
}

// A reader is put behind all that ended before it began, a writer is where it is.
TimestampCheck::Frontier TimestampCheck::Pass(TxnId id, const Frontier& frontier) const {
  if (timestamps_[id] == kUntold || Writes(id)) return {{timestamps_[id], false}, id};
  return {std::max(Shown(id), frontier.place), id};
}

TimestampCheck::Place TimestampCheck::Shown(TxnId id) const {
  if (Writes(id) || history_.transaction(id).read_timestamp == kUntold) return PlaceOf(id);
  Place shown{.timestamp = kUntold, .reads_only = true};
  for (const Operation& operation : history_.operations(id)) {
    const std::vector<Version>& versions = keys_[operation.key].versions;
    const auto next = FirstAfter(versions, timestamps_[id]);
    if (next == versions.begin()) continue;
    shown.timestamp = std::max(shown.timestamp, std::prev(next)->timestamp);
  }
  return shown;
}

std::vector<TimestampCheck::Version>::const_iterator TimestampCheck::FirstAfter(
    const std::vector<Version>& versions, int64_t timestamp) {
  return std::upper_bound(
      versions.begin(), versions.end(), timestamp,
      [](int64_t at, const Version& version) { return at < version.timestamp; });
}

void TimestampCheck::CheckBegin(TxnId id, const Frontier& frontier) {
  if (frontier.id == kNoTxn) return;
  const auto window = unknown_.find(id);
  const bool writes = Writes(id);
  if (!writes) {
    if (PlaceOf(id) < frontier.place) LogMissed(id, frontier);
    return;
  }
  const bool late = window != unknown_.end() ? window->second.high <= frontier.place.timestamp
                                             : PlaceOf(id) <= frontier.place;
  if (!late) return;
  log_->Add("realtime-order", [&] {
    const std::string bound =
        window == unknown_.end() ? "" : absl::StrCat(", as it was seen at ", window->second.high);
    return Anomaly{.sentence = absl::StrCat(Describe(frontier.id), " ended before ", Describe(id),
                                            " began, which must have the larger timestamp, and ",
                                            "has not", bound),
                   .transactions = {frontier.id, id}};
  });
}

void TimestampCheck::LogMissed(TxnId id, const Frontier& frontier) {
  for (const Operation& operation : history_.operations(id)) {
    const std::vector<Version>& versions = keys_[operation.key].versions;
    const auto next = FirstAfter(versions, timestamps_[id]);
    if (next == versions.end() || next->timestamp > frontier.place.timestamp) continue;
    log_->Add("realtime-order", [&] {
      return Anomaly{.sentence = absl::StrCat(
                         Describe(id), " did not see the ", next->value, " that ",
                         Describe(next->writer), " wrote to ", Name(operation.key), ", although ",
                         frontier.id == next->writer ? "that" : Describe(frontier.id),
                         " ended before it began"),
                     .transactions = {next->writer, id}};
    });
    return;
  }
}

}  // namespace checker
