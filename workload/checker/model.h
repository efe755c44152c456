// Model: what a database promises, and so which anomalies break its promise.
#ifndef WORKLOAD_CHECKER_MODEL_H_
#define WORKLOAD_CHECKER_MODEL_H_

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "workload/checker/cycles.h"
#include "workload/checker/graph.h"

namespace checker {

struct Model {
  const char* name;
  const char* promise;  // In words.
  CycleClass mildest;   // The mildest cycle that breaks it.
  Level order;          // The order that it keeps.
  bool forbids_lost_update;
  bool forbids_dirty_reads;  // G1a and G1b.

  // Whether an anomaly of this name, one that is no cycle, breaks it.
  bool Forbids(absl::string_view anomaly) const;
};

// The strictest first.
absl::Span<const Model> Models();
// Null if there is none of the name.
const Model* FindModel(absl::string_view name);
// What Isochron promises: external consistency.
const Model& StrictSerializable();

}  // namespace checker

#endif  // WORKLOAD_CHECKER_MODEL_H_
