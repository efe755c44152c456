#include "workload/transaction_journal.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/format.h"
#include "runtime/status_macros.h"
#include "workload/checker/report.h"

namespace workload {
namespace {

using runtime::Timestamp;

bool IsWrite(const checker::EventOperation& operation) {
  return operation.kind != checker::OperationKind::kRead;
}

}  // namespace

Timestamp TransactionJournal::TrueTime() const {
  return options_.true_time == nullptr ? Timestamp::Min() : options_.true_time();
}

TransactionJournal::EntryId TransactionJournal::Begin(int64_t process) {
  entries_.push_back({.process = process, .begun_at = TrueTime()});
  events_.push_back({entries_.size() - 1, /*begins=*/true});
  return entries_.size() - 1;
}

TransactionJournal::Entry& TransactionJournal::Open(EntryId entry) {
  CHECK(entries_[entry].end == End::kOpen) << entry;
  return entries_[entry];
}

void TransactionJournal::Did(EntryId entry, checker::EventOperation operation) {
  Entry& open = Open(entry);
  open.writes |= IsWrite(operation);
  open.operations.push_back(std::move(operation));
}

void TransactionJournal::Commits(EntryId entry) {
  Entry& open = Open(entry);
  open.commits = true;
  open.commits_at = TrueTime();
}

void TransactionJournal::EndWith(EntryId entry, End end, const absl::Status& why) {
  Entry& open = Open(entry);
  open.end = end;
  events_.push_back({entry, /*begins=*/false});
  if (options_.trace == nullptr) return;
  options_.trace(
      absl::StrCat("process ", open.process, why.ok() ? " is told " : " is told: ",
                   why.ok() ? absl::StrCat(open.timestamp.nanoseconds()) : why.ToString()));
}

void TransactionJournal::Committed(EntryId entry, Timestamp timestamp) {
  Entry& open = Open(entry);
  open.timestamp = timestamp;
  EndWith(entry, End::kCommitted);
  ++committed_;
  last_commit_ = std::max(last_commit_, timestamp);
  if (!KnowsTime()) return;
  if (timestamp >= TrueTime()) {
    Wrong(absl::StrCat("TX-COMMIT-WAIT: process ", open.process, " is told of a commit at ",
                       timestamp.nanoseconds(), ", which is ",
                       runtime::FormatDuration(timestamp - TrueTime()), " ahead of the true time"));
  }
  if (open.writes && timestamp < open.commits_at) {
    Wrong(absl::StrCat("TX-COMMIT-TS: process ", open.process, " is told of a commit at ",
                       timestamp.nanoseconds(), ", which is ",
                       runtime::FormatDuration(open.commits_at - timestamp),
                       " before the moment when it asked for it"));
  }
}

void TransactionJournal::Failed(EntryId entry, const absl::Status& why) {
  EndWith(entry, End::kFailed, why);
}

void TransactionJournal::Unknown(EntryId entry, std::optional<Doubt> doubt,
                                 const absl::Status& why) {
  EndWith(entry, End::kUnknown, why);
  if (doubt.has_value()) doubts_.push_back(*std::move(doubt));
}

void TransactionJournal::Read(EntryId entry, Timestamp timestamp, const txn::ReadBound& bound) {
  Entry& open = Open(entry);
  open.timestamp = timestamp;
  open.stale = bound.kind != txn::ReadBound::Kind::kStrong;
  EndWith(entry, End::kRead);
  ++read_only_;
  if (bound.kind == txn::ReadBound::Kind::kAt && timestamp != bound.timestamp) {
    Wrong(absl::StrCat("TX-STALE: a read at ", bound.timestamp.nanoseconds(), " was made at ",
                       timestamp.nanoseconds()));
  }
  const bool bounded = bound.kind == txn::ReadBound::Kind::kBounded;
  if (bounded && KnowsTime() && timestamp < open.begun_at - bound.staleness) {
    Wrong(absl::StrCat("TX-STALE: what was to be at most ",
                       runtime::FormatDuration(bound.staleness), " old is ",
                       runtime::FormatDuration(open.begun_at - timestamp), " old"));
  }
}

void TransactionJournal::Concluded(const Doubt& doubt, const txn::Outcome& outcome) {
  Entry& entry = entries_[doubt.entry];
  const auto [known, is_new] = concluded_.emplace(doubt.entry, outcome);
  if (!is_new) {
    if (known->second.committed != outcome.committed) {
      Wrong(absl::StrCat("TX-ONCE: one is told that a transaction ",
                         known->second.committed.has_value() ? "committed" : "aborted",
                         ", and another something else"));
    }
    return;
  }
  CHECK(entry.end == End::kUnknown) << doubt.entry;
  if (outcome.committed.has_value()) {
    entry.timestamp = *outcome.committed;
    last_commit_ = std::max(last_commit_, *outcome.committed);
  } else {
    entry.end = End::kFailed;
  }
}

std::optional<Timestamp> TransactionJournal::LastCommit() const {
  if (last_commit_ == Timestamp::Min()) return std::nullopt;
  return last_commit_;
}

checker::Timestamps TransactionJournal::TimestampsOf(const Entry& entry) const {
  checker::Timestamps timestamps{.stale = entry.stale};
  if (entry.timestamp == Timestamp::Min()) return timestamps;
  (entry.end == End::kRead ? timestamps.read_timestamp : timestamps.commit_timestamp) =
      entry.timestamp.nanoseconds();
  return timestamps;
}

checker::History TransactionJournal::History() const {
  checker::HistoryRecorder recorder;
  for (const Event& event : events_) {
    const Entry& entry = entries_[event.entry];
    if (entry.operations.empty()) continue;
    // Its machine crashed before it came to a commit.
    const bool dropped = entry.end == End::kOpen && !entry.commits;
    if (event.begins) {
      recorder.Invoke(entry.process, entry.operations, entry.begun_at.nanoseconds());
      if (dropped) recorder.Fail(entry.process);
      continue;
    }
    switch (entry.end) {
      case End::kCommitted:
      case End::kRead:
        recorder.Ok(entry.process, entry.operations, checker::kUntold, TimestampsOf(entry));
        break;
      case End::kFailed:
        recorder.Fail(entry.process);
        break;
      case End::kUnknown:
        recorder.Info(entry.process, checker::kUntold, TimestampsOf(entry));
        break;
      case End::kOpen:
        CHECK(false) << event.entry;
    }
  }
  return recorder.Take();
}

bool TransactionJournal::HasOperations() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const Entry& entry) { return !entry.operations.empty(); });
}

absl::Status TransactionJournal::Judge() const {
  if (!HasOperations()) return absl::OkStatus();
  const checker::History history = History();
  checker::CheckOptions options;
  if (options_.clocks_lie) options.model = *checker::FindModel("serializable");
  RETURN_IF_ERROR(JudgeAs(history, options));
  if (options_.clocks_lie) return absl::OkStatus();
  options.timestamps = true;
  return JudgeAs(history, options);
}

absl::Status TransactionJournal::JudgeRealTime() const {
  if (!HasOperations()) return absl::OkStatus();
  return JudgeAs(History(), {});
}

absl::Status TransactionJournal::JudgeAs(const checker::History& history,
                                         const checker::CheckOptions& options) const {
  ASSIGN_OR_RETURN(const checker::Verdict verdict, checker::Check(history, options));
  if (verdict.valid()) return absl::OkStatus();
  std::string names;
  for (const auto& [name, found] : verdict.anomalies) absl::StrAppend(&names, " ", name);
  return absl::InternalError(absl::StrCat("TX-EXTERNAL:", names,
                                          options.timestamps ? " (by timestamps)" : "", "\n",
                                          checker::FormatVerdict(history, verdict)));
}

}  // namespace workload
