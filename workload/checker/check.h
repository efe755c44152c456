// Check: whether a history keeps what a database promises, and if not, how one can see it.
//
//   absl::StatusOr<Verdict> verdict = Check(history, {});   // strict serializability, black box
//   if (verdict.ok() && !verdict->valid()) std::cout << FormatVerdict(history, *verdict);
#ifndef WORKLOAD_CHECKER_CHECK_H_
#define WORKLOAD_CHECKER_CHECK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "workload/checker/anomaly.h"
#include "workload/checker/graph.h"
#include "workload/checker/history.h"
#include "workload/checker/model.h"

namespace checker {

struct CheckOptions {
  Model model = StrictSerializable();
  // White box: the history's timestamps are taken as the order, which is quick and exact. Without,
  // the order is inferred from what was read.
  bool timestamps = false;
  // The order that each register keeps by itself, even if the model promises none.
  std::optional<Level> registers_ordered_by = {};
  // Anomalies of each name that are kept whole.
  size_t examples_max = 3;
  // See CycleQuery.
  uint64_t steps_max = 20'000'000;
};

struct Verdict {
  Model model = StrictSerializable();
  bool timestamps = false;
  // The anomalies that break the model, by name.
  std::map<std::string, AnomalyLog::Found> anomalies;
  // Groups of transactions in a circle of which it was too costly to tell whether the model allows
  // it. Only with models weaker than serializable.
  uint64_t undecided = 0;

  // What was looked at.
  uint64_t transactions_ok = 0;
  uint64_t transactions_failed = 0;
  uint64_t transactions_unknown = 0;
  uint64_t dependencies = 0;  // Edges of the graph; 0 with timestamps.

  bool valid() const { return anomalies.empty() && undecided == 0; }
};

// InvalidArgument if the history cannot be checked like that: a value was written to a key twice, or
// a timestamp is missing.
absl::StatusOr<Verdict> Check(const History& history, const CheckOptions& options);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_CHECK_H_
