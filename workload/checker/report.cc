#include "workload/checker/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace checker {
namespace {

std::string Count(uint64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

const char* OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "ok";
    case Outcome::kFail:
      return "failed";
    case Outcome::kInfo:
      break;
  }
  return "unknown";
}

std::string Summary(const History& history, const Verdict& verdict) {
  const uint64_t all = history.transactions().size();
  return absl::StrCat(Count(all, "transaction"), " (", verdict.transactions_ok, " ok, ",
                      verdict.transactions_failed, " failed, ", verdict.transactions_unknown,
                      " unknown) on ", Count(history.keys().size(), "key"),
                      history.datatype() == Datatype::kLists ? " of lists" : " of registers",
                      verdict.timestamps
                          ? ", by their timestamps"
                          : absl::StrCat(", ", Count(verdict.dependencies, "dependency edge")));
}

std::string Conclusion(const Verdict& verdict) {
  const std::string model = absl::StrCat(verdict.model.name, " (", verdict.model.promise, ")");
  if (verdict.valid()) return absl::StrCat("valid: ", model);
  uint64_t anomalies = 0;
  for (const auto& [name, found] : verdict.anomalies) anomalies += found.count;
  if (anomalies == 0) {
    return absl::StrCat("undecided whether ", model, ": ", verdict.undecided,
                        " groups of transactions are too large to search");
  }
  return absl::StrCat("NOT ", model, ": ", anomalies, anomalies == 1 ? " anomaly" : " anomalies");
}

// "  T7  process 2, events 14 to 17, ok: r x [1 2], append y 3"
std::string TransactionLine(const History& history, TxnId id) {
  const Transaction& transaction = history.transaction(id);
  std::string line = absl::StrFormat("    %-5s process %d, events %d to ", TxnName(id),
                                     transaction.process, transaction.begun);
  absl::StrAppend(&line, transaction.ended == kNever ? "?" : absl::StrCat(transaction.ended), ", ",
                  OutcomeName(transaction.outcome));
  if (transaction.commit_timestamp != kUntold) {
    absl::StrAppend(&line, ", committed at ", transaction.commit_timestamp);
  }
  if (transaction.read_timestamp != kUntold) {
    absl::StrAppend(&line, ", read at ", transaction.read_timestamp);
  }
  return absl::StrCat(line, ": ", DescribeOperations(history, id), "\n");
}

std::vector<TxnId> Distinct(std::vector<TxnId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

std::string FormatAnomaly(const History& history, const Anomaly& anomaly) {
  std::string text = absl::StrCat("  ", anomaly.sentence, "\n");
  for (const TxnId id : Distinct(anomaly.transactions)) text += TransactionLine(history, id);
  if (anomaly.cycle.empty()) return text;
  absl::StrAppend(&text, "  ",
                  anomaly.shortest ? "shortest cycle" : "a cycle, perhaps not the shortest",
                  ", each must come before the next:\n");
  for (const AnomalyStep& step : anomaly.cycle) {
    absl::StrAppend(&text, "    ", TxnName(step.from), " -", step.dependency, "-> ",
                    TxnName(step.to), ": ", step.why, "\n");
  }
  return text;
}

nlohmann::ordered_json AnomalyJson(const History& history, const Anomaly& anomaly) {
  nlohmann::ordered_json json = {{"sentence", anomaly.sentence}};
  for (const TxnId id : Distinct(anomaly.transactions)) {
    const Transaction& transaction = history.transaction(id);
    json["transactions"].push_back({{"name", TxnName(id)},
                                    {"process", transaction.process},
                                    {"begun", transaction.begun},
                                    {"outcome", OutcomeName(transaction.outcome)},
                                    {"operations", DescribeOperations(history, id)}});
    if (transaction.ended != kNever) json["transactions"].back()["ended"] = transaction.ended;
  }
  for (const AnomalyStep& step : anomaly.cycle) {
    json["cycle"].push_back({{"from", TxnName(step.from)},
                             {"to", TxnName(step.to)},
                             {"dependency", step.dependency},
                             {"why", step.why}});
  }
  if (!anomaly.cycle.empty()) json["shortest"] = anomaly.shortest;
  return json;
}

}  // namespace

std::string FormatVerdict(const History& history, const Verdict& verdict) {
  std::string text = absl::StrCat(Summary(history, verdict), "\n", Conclusion(verdict), "\n");
  for (const auto& [name, found] : verdict.anomalies) {
    absl::StrAppend(&text, "\n", name);
    if (found.count > found.examples.size()) {
      absl::StrAppend(&text, " (", found.count, " of them; the first ", found.examples.size(), ")");
    }
    absl::StrAppend(&text, "\n");
    for (const Anomaly& anomaly : found.examples) {
      absl::StrAppend(&text, FormatAnomaly(history, anomaly));
    }
  }
  return text;
}

std::string FormatVerdictJson(const History& history, const Verdict& verdict) {
  nlohmann::ordered_json anomalies = nlohmann::ordered_json::object();
  for (const auto& [name, found] : verdict.anomalies) {
    anomalies[name]["count"] = found.count;
    for (const Anomaly& anomaly : found.examples) {
      anomalies[name]["examples"].push_back(AnomalyJson(history, anomaly));
    }
  }
  const nlohmann::ordered_json json = {
      {"valid", verdict.valid()},
      {"model", verdict.model.name},
      {"timestamps", verdict.timestamps},
      {"datatype", history.datatype() == Datatype::kLists ? "lists" : "registers"},
      {"transactions", history.transactions().size()},
      {"ok", verdict.transactions_ok},
      {"failed", verdict.transactions_failed},
      {"unknown", verdict.transactions_unknown},
      {"keys", history.keys().size()},
      {"dependencies", verdict.dependencies},
      {"undecided", verdict.undecided},
      {"anomalies", anomalies}};
  return json.dump();
}

}  // namespace checker
