#include "workload/checker/history_format.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/checker/edn_reader.h"
#include "workload/checker/event_decoder.h"
#include "workload/checker/history_builder.h"
#include "workload/checker/json_reader.h"

namespace checker {
namespace {

HistoryFormat Guess(absl::string_view text) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(text);
  if (!rest.empty() && rest[0] == '[') rest = absl::StripLeadingAsciiWhitespace(rest.substr(1));
  if (rest.empty() || rest[0] != '{') return HistoryFormat::kEdn;
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(1));
  return !rest.empty() && rest[0] == '"' ? HistoryFormat::kJson : HistoryFormat::kEdn;
}

// An event of a history, which keeps transactions.
struct EventOf {
  TxnId id = kNoTxn;
  bool is_end = false;
};

std::vector<EventOf> EventsOf(const History& history) {
  std::vector<EventOf> events(history.event_count());
  for (TxnId id = 0; id < history.transactions().size(); ++id) {
    const Transaction& transaction = history.transaction(id);
    events[transaction.begun] = {id, false};
    if (transaction.ended != kNever) events[transaction.ended] = {id, true};
  }
  return events;
}

absl::string_view TypeName(const Transaction& transaction, bool is_end) {
  if (!is_end) return "invoke";
  switch (transaction.outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kFail:
      return "fail";
    case Outcome::kInfo:
      break;
  }
  return "info";
}

absl::string_view KindName(OperationKind kind) {
  return kind == OperationKind::kRead ? "r" : kind == OperationKind::kAppend ? "append" : "w";
}

// A keyword if it can be one, else a string.
std::string EdnKey(const Key& key) {
  if (const int64_t* number = std::get_if<int64_t>(&key)) return absl::StrCat(*number);
  const std::string& word = std::get<std::string>(key);
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyz"
                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_.") == std::string::npos;
  if (plain) return absl::StrCat(":", word);
  std::string text = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text + "\"";
}

std::string EdnEvent(const History& history, const EventOf& event, EventId index) {
  const Transaction& transaction = history.transaction(event.id);
  const bool answered = event.is_end && transaction.outcome == Outcome::kOk;
  std::string text =
      absl::StrCat("{:type :", TypeName(transaction, event.is_end), ", :f :txn, :value [");
  absl::string_view space = "";
  for (const Operation& operation : history.operations(transaction)) {
    absl::StrAppend(&text, space, "[:", KindName(operation.kind), " ",
                    EdnKey(history.keys()[operation.key]), " ");
    space = " ";
    if (operation.kind != OperationKind::kRead) {
      absl::StrAppend(&text, operation.value);
    } else if (!answered) {
      absl::StrAppend(&text, "nil");
    } else if (history.datatype() == Datatype::kRegisters) {
      absl::StrAppend(&text, DescribeValue(operation.value));
    } else {
      absl::StrAppend(&text, "[", absl::StrJoin(history.list(operation), " "), "]");
    }
    absl::StrAppend(&text, "]");
  }
  absl::StrAppend(&text, "], :process ", transaction.process);
  const auto number = [&](absl::string_view name, int64_t value) {
    if (value != kUntold) absl::StrAppend(&text, ", :", name, " ", value);
  };
  number("time", event.is_end ? transaction.end_time : transaction.begin_time);
  number("index", index);
  if (event.is_end) {
    number("commit-timestamp", transaction.commit_timestamp);
    number("read-timestamp", transaction.read_timestamp);
  }
  if (transaction.stale) absl::StrAppend(&text, ", :stale true");
  return text + "}\n";
}

std::string JsonEvent(const History& history, const EventOf& event, EventId index) {
  const Transaction& transaction = history.transaction(event.id);
  const bool answered = event.is_end && transaction.outcome == Outcome::kOk;
  nlohmann::ordered_json operations = nlohmann::ordered_json::array();
  for (const Operation& operation : history.operations(transaction)) {
    nlohmann::ordered_json value;
    if (operation.kind != OperationKind::kRead) {
      value = operation.value;
    } else if (answered && history.datatype() == Datatype::kLists) {
      const absl::Span<const int64_t> list = history.list(operation);
      value = std::vector<int64_t>(list.begin(), list.end());
    } else if (answered && operation.value != kNil) {
      value = operation.value;
    }
    const Key& key = history.keys()[operation.key];
    nlohmann::ordered_json name;
    std::visit([&](const auto& part) { name = part; }, key);
    operations.push_back({std::string(KindName(operation.kind)), name, value});
  }
  nlohmann::ordered_json json = {{"type", std::string(TypeName(transaction, event.is_end))},
                                 {"f", "txn"},
                                 {"value", operations},
                                 {"process", transaction.process}};
  const auto number = [&](const char* name, int64_t value) {
    if (value != kUntold) json[name] = value;
  };
  number("time", event.is_end ? transaction.end_time : transaction.begin_time);
  number("index", index);
  if (event.is_end) {
    number("commit-timestamp", transaction.commit_timestamp);
    number("read-timestamp", transaction.read_timestamp);
  }
  if (transaction.stale) json["stale"] = true;
  return json.dump() + "\n";
}

}  // namespace

absl::StatusOr<History> ReadHistory(absl::string_view text, HistoryFormat format) {
  if (format == HistoryFormat::kAuto) format = Guess(text);
  EventDecoder decoder(text);
  HistoryBuilder builder;
  const auto add = [&](const FormTape& tape) -> absl::Status {
    ASSIGN_OR_RETURN(const Event* const event, decoder.Decode(tape));
    if (event == nullptr) return absl::OkStatus();
    const absl::Status added = builder.Add(*event);
    return added.ok() ? added : ErrorAt(text, tape[0].offset, added.message());
  };
  RETURN_IF_ERROR(format == HistoryFormat::kJson ? ReadJson(text, add) : ReadEdn(text, add));
  return builder.Take();
}

std::string WriteHistory(const History& history, HistoryFormat format) {
  const std::vector<EventOf> events = EventsOf(history);
  std::string text;
  for (EventId index = 0; index < events.size(); ++index) {
    text += format == HistoryFormat::kJson ? JsonEvent(history, events[index], index)
                                           : EdnEvent(history, events[index], index);
  }
  return text;
}

}  // namespace checker
