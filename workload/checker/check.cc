#include "workload/checker/check.h"

#include <algorithm>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/checker/append_analysis.h"
#include "workload/checker/cycles.h"
#include "workload/checker/operations.h"
#include "workload/checker/register_analysis.h"
#include "workload/checker/timestamp_check.h"

namespace checker {
namespace {

using Explainer = absl::FunctionRef<std::string(const CycleEdge&)>;

const char* DependencyName(const CycleEdge& edge) {
  switch (edge.kind) {
    case EdgeKind::kWriteWrite:
      return "ww";
    case EdgeKind::kWriteRead:
      return "wr";
    case EdgeKind::kReadWrite:
      return "rw";
    case EdgeKind::kOrder:
    case EdgeKind::kOnward:
      break;
  }
  return edge.level == Level::kProcess ? "process" : "realtime";
}

std::string ExplainOrder(const History& history, const CycleEdge& edge) {
  return absl::StrCat(TxnName(edge.from), " ended (event ", history.transaction(edge.from).ended,
                      ") before ", TxnName(edge.to), " began (event ",
                      history.transaction(edge.to).begun, ")",
                      edge.level == Level::kProcess
                          ? absl::StrCat(", both of process ", history.transaction(edge.to).process)
                          : "");
}

const char* CycleSentence(CycleClass phenomenon) {
  switch (phenomenon) {
    case CycleClass::kG0:
      return "the writes of these transactions are interleaved: each overwrote another's (dirty "
             "write)";
    case CycleClass::kG1c:
      return "information flowed in a circle: each saw or overwrote what another wrote";
    case CycleClass::kGSingle:
      return "a transaction read a state from before a write, and depends on that write all the "
             "same (read skew)";
    case CycleClass::kGNonadjacent:
      return "transactions saw writes in different orders (long fork)";
    case CycleClass::kG2Item:
      break;
  }
  return "transactions each read what another then overwrote (write skew)";
}

Anomaly MakeAnomaly(const History& history, const Cycle& cycle, Explainer explain) {
  Anomaly anomaly;
  anomaly.sentence = CycleSentence(cycle.phenomenon);
  if (cycle.level == Level::kProcess) anomaly.sentence += ", by the order of a process";
  if (cycle.level == Level::kRealTime) anomaly.sentence += ", by the order in real time";
  anomaly.shortest = cycle.shortest;
  for (const CycleEdge& edge : cycle.edges) {
    anomaly.transactions.push_back(edge.from);
    anomaly.cycle.push_back(
        {edge.from, edge.to, DependencyName(edge),
         edge.kind == EdgeKind::kOrder ? ExplainOrder(history, edge) : explain(edge)});
  }
  return anomaly;
}

// The cycles of what an analysis finds: its Run() and Explain() are used.
template <typename Analysis>
void CheckCycles(const History& history, const CheckOptions& options, Analysis* analysis,
                 AnomalyLog* log, Verdict* verdict) {
  DependencyGraph graph(history.transactions().size());
  analysis->Run(&graph);
  if (options.model.order >= Level::kProcess) AddProcessOrder(history, &graph);
  if (options.model.order >= Level::kRealTime) AddRealTimeOrder(history, &graph);
  graph.Finish();
  verdict->dependencies = graph.edge_count();
  const Level level_max =
      std::max(options.model.order, options.registers_ordered_by.value_or(Level::kPlain));
  const CycleFindings findings = FindCycles(history, graph,
                                            {.mildest = options.model.mildest,
                                             .level_max = level_max,
                                             .order = options.model.order,
                                             .steps_max = options.steps_max});
  verdict->undecided = findings.undecided;
  for (const Cycle& cycle : findings.cycles) {
    log->Add(CycleName(cycle.phenomenon, cycle.level), [&] {
      return MakeAnomaly(history, cycle,
                         [&](const CycleEdge& edge) { return analysis->Explain(edge); });
    });
  }
}

}  // namespace

absl::StatusOr<Verdict> Check(const History& history, const CheckOptions& options) {
  Verdict verdict;
  verdict.model = options.model;
  verdict.timestamps = options.timestamps;
  for (const Transaction& transaction : history.transactions()) {
    verdict.transactions_ok += transaction.outcome == Outcome::kOk ? 1 : 0;
    verdict.transactions_failed += transaction.outcome == Outcome::kFail ? 1 : 0;
    verdict.transactions_unknown += transaction.outcome == Outcome::kInfo ? 1 : 0;
  }
  AnomalyLog log(options.examples_max);
  if (options.timestamps) {
    RETURN_IF_ERROR(TimestampCheck(history, options.model.order, &log).Run());
  } else {
    ASSIGN_OR_RETURN(WriteIndex writes, WriteIndex::Build(history));
    if (history.datatype() == Datatype::kLists) {
      AppendAnalysis analysis(history, &writes, &log);
      CheckCycles(history, options, &analysis, &log, &verdict);
    } else {
      const Level ordered = options.registers_ordered_by.value_or(options.model.order);
      RegisterAnalysis analysis(history, &writes, ordered, &log);
      CheckCycles(history, options, &analysis, &log, &verdict);
    }
  }
  for (const auto& [name, found] : log.by_name()) {
    if (options.model.Forbids(name)) verdict.anomalies.emplace(name, found);
  }
  return verdict;
}

}  // namespace checker
