// Anomaly: something that the database did and should not have done, with its evidence.
// AnomalyLog: all that were found, of which the first of each name are kept whole.
#ifndef WORKLOAD_CHECKER_ANOMALY_H_
#define WORKLOAD_CHECKER_ANOMALY_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "workload/checker/history.h"

namespace checker {

// An edge of a cycle, in words.
struct AnomalyStep {
  TxnId from;
  TxnId to;
  std::string dependency;  // "ww", "wr", "rw", "process" or "realtime".
  std::string why;
};

struct Anomaly {
  std::string name = {};      // "G1a", "lost-update", "G-single-realtime".
  std::string sentence = {};  // What happened.
  std::vector<TxnId> transactions = {};
  std::vector<AnomalyStep> cycle = {};  // Each step begins where the one before ends. Or none.
  bool shortest = true;                 // Of a cycle.
};

class AnomalyLog {
 public:
  explicit AnomalyLog(size_t examples_max) : examples_max_(examples_max) {}

  // Counts one; asks for it whole only if it is kept.
  void Add(absl::string_view name, absl::FunctionRef<Anomaly()> describe) {
    Found& found = by_name_[std::string(name)];
    if (found.count++ >= examples_max_) return;
    found.examples.push_back(describe());
    found.examples.back().name = std::string(name);
  }

  struct Found {
    uint64_t count = 0;
    std::vector<Anomaly> examples;
  };
  const std::map<std::string, Found>& by_name() const { return by_name_; }

 private:
  const size_t examples_max_;
  std::map<std::string, Found> by_name_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_ANOMALY_H_
