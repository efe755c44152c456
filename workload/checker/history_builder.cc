#include "workload/checker/history_builder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace checker {

EventOperation Append(Key key, int64_t value) {
  return {OperationKind::kAppend, std::move(key), value};
}
EventOperation Write(Key key, int64_t value) {
  return {OperationKind::kWrite, std::move(key), value};
}
EventOperation Read(Key key) { return {OperationKind::kRead, std::move(key), kNil}; }
EventOperation Read(Key key, int64_t value) {
  return {OperationKind::kRead, std::move(key), value};
}
EventOperation ReadList(Key key, std::vector<int64_t> list) {
  return {OperationKind::kRead, std::move(key), kNil, std::move(list)};
}

absl::Status HistoryBuilder::Add(const Event& event) {
  if (history_.event_count_ == kNever - 1) {
    return absl::InvalidArgumentError("the history has more than four billion events");
  }
  RETURN_IF_ERROR(event.type == EventType::kInvoke ? Begin(event) : End(event));
  ++history_.event_count_;
  return absl::OkStatus();
}

absl::Status HistoryBuilder::Begin(const Event& event) {
  const TxnId id = static_cast<TxnId>(history_.transactions_.size());
  const auto [open, is_new] = open_.emplace(event.process, id);
  if (!is_new) {
    return absl::InvalidArgumentError(absl::StrCat("process ", event.process,
                                                   " begins a transaction while ",
                                                   TxnName(open->second), " of its own is open"));
  }
  history_.transactions_.push_back(
      {.first_operation = history_.operations_.size(),
       .operation_count = static_cast<uint32_t>(event.operations.size()),
       .outcome = Outcome::kInfo,
       .stale = event.timestamps.stale,
       .begun = history_.event_count_,
       .ended = kNever,
       .process = event.process,
       .begin_time = event.time,
       .end_time = kUntold,
       .commit_timestamp = kUntold,
       .read_timestamp = kUntold});
  for (const EventOperation& asked : event.operations) {
    const bool is_read = asked.kind == OperationKind::kRead;
    has_appends_ |= asked.kind == OperationKind::kAppend;
    has_writes_ |= asked.kind == OperationKind::kWrite;
    if (!is_read && asked.value == kNil) {
      return absl::InvalidArgumentError(
          absl::StrCat("nil is written to ", KeyName(asked.key), ", and only a number can be"));
    }
    history_.operations_.push_back({asked.kind, !is_read, Intern(asked.key), 0, asked.value});
  }
  return absl::OkStatus();
}

absl::Status HistoryBuilder::End(const Event& event) {
  const auto open = open_.find(event.process);
  if (open == open_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "process ", event.process, " ends a transaction, but it has none that is open"));
  }
  Transaction& transaction = history_.transactions_[open->second];
  if (event.type == EventType::kOk) RETURN_IF_ERROR(Complete(event, &transaction));
  transaction.end_time = event.time;
  transaction.commit_timestamp = event.timestamps.commit_timestamp;
  transaction.read_timestamp = event.timestamps.read_timestamp;
  transaction.stale |= event.timestamps.stale;
  transaction.ended = history_.event_count_;
  transaction.outcome = event.type == EventType::kOk     ? Outcome::kOk
                        : event.type == EventType::kFail ? Outcome::kFail
                                                         : Outcome::kInfo;
  open_.erase(open);
  return absl::OkStatus();
}

absl::Status HistoryBuilder::Complete(const Event& event, Transaction* transaction) {
  if (event.operations.size() != transaction->operation_count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "process ", event.process, " ends a transaction with ", event.operations.size(),
        " operations that it began with ", transaction->operation_count));
  }
  for (size_t i = 0; i < event.operations.size(); ++i) {
    const EventOperation& answer = event.operations[i];
    Operation& operation = history_.operations_[transaction->first_operation + i];
    const bool same = answer.kind == operation.kind &&
                      answer.key == history_.keys_[operation.key] &&
                      (operation.kind == OperationKind::kRead || answer.value == operation.value);
    if (!same) {
      return absl::InvalidArgumentError(absl::StrCat(
          "process ", event.process, " ends a transaction whose operation ", i + 1, " is not '",
          DescribeOperation(history_, operation), "', as it was at its beginning"));
    }
    if (operation.kind == OperationKind::kRead) RETURN_IF_ERROR(Fill(answer, &operation));
  }
  return absl::OkStatus();
}

absl::Status HistoryBuilder::Fill(const EventOperation& answer, Operation* operation) {
  operation->known = true;
  operation->value = answer.value;
  has_values_ |= answer.value != kNil;
  if (!answer.list.has_value()) return absl::OkStatus();
  if (answer.list->size() > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError("a list has more than four billion elements");
  }
  has_lists_ = true;
  operation->value = static_cast<int64_t>(history_.list_elements_.size());
  operation->list_size = static_cast<uint32_t>(answer.list->size());
  history_.list_elements_.insert(history_.list_elements_.end(), answer.list->begin(),
                                 answer.list->end());
  return absl::OkStatus();
}

KeyId HistoryBuilder::Intern(const Key& key) {
  const auto [id, is_new] = key_ids_.emplace(key, static_cast<KeyId>(history_.keys_.size()));
  if (is_new) history_.keys_.push_back(key);
  return id->second;
}

absl::StatusOr<History> HistoryBuilder::Take() {
  if (history_.transactions_.empty()) {
    return absl::InvalidArgumentError("the history has no transaction");
  }
  const bool lists = has_appends_ || has_lists_;
  if (lists && (has_writes_ || has_values_)) {
    return absl::InvalidArgumentError(
        "the history has both lists and registers: check the two in histories of their own");
  }
  history_.datatype_ = lists ? Datatype::kLists : Datatype::kRegisters;
  // A list that was read as nil is empty.
  for (Operation& operation : history_.operations_) {
    if (lists && operation.kind == OperationKind::kRead && operation.value == kNil) {
      operation.value = 0;
    }
  }
  History history = std::move(history_);
  *this = HistoryBuilder();
  return history;
}

void HistoryRecorder::Add(EventType type, int64_t process, std::vector<EventOperation> operations,
                          int64_t time, Timestamps timestamps) {
  const absl::Status added = builder_.Add({type, process, std::move(operations), time, timestamps});
  CHECK(added.ok()) << added.message();
}

void HistoryRecorder::Invoke(int64_t process, std::vector<EventOperation> operations,
                             int64_t time) {
  Add(EventType::kInvoke, process, std::move(operations), time, {});
}

void HistoryRecorder::Ok(int64_t process, std::vector<EventOperation> operations, int64_t time,
                         Timestamps timestamps) {
  Add(EventType::kOk, process, std::move(operations), time, timestamps);
}

void HistoryRecorder::Fail(int64_t process, int64_t time) {
  Add(EventType::kFail, process, {}, time, {});
}

void HistoryRecorder::Info(int64_t process, int64_t time, Timestamps timestamps) {
  Add(EventType::kInfo, process, {}, time, timestamps);
}

History HistoryRecorder::Take() {
  absl::StatusOr<History> history = builder_.Take();
  CHECK(history.ok()) << history.status().message();
  return *std::move(history);
}

}  // namespace checker
