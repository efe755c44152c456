// Linearizability of registers: whether there is an order of all operations that agrees with what
// each found, and with the order in time of any two that were not under way together (Herlihy and
// Wing, 1990).
//
// Keys are independent of each other (locality), so each is checked alone. The search is Wing and
// Gong's, with Lowe's memory of the states that led nowhere ("Testing for linearizability", 2017),
// and three shortcuts that are exact:
//   - a read that could be next is next: no other order is lost by that;
//   - an operation of unknown outcome whose value nobody found can be taken for one that had no
//     effect: nothing tells them apart;
//   - one whose value was found, and which no other operation writes, did take effect, and before
//     that read ended.
// So where every written value is another one, nothing is left open, and histories of many
// thousands of operations on one key take moments. In general the problem is NP-complete: the
// search is bounded.
#ifndef WORKLOAD_LINEARIZABILITY_H_
#define WORKLOAD_LINEARIZABILITY_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "workload/register_history.h"

namespace workload {

struct LinearizabilityOptions {
  // Of every key, in the beginning.
  RegisterValue initial = std::nullopt;
  // Of the search, for each key.
  uint64_t steps_max = 20'000'000;
};

// OK, or FAILED_PRECONDITION with the key, an operation that fits nowhere, and what came before it
// in the longest order that was found. RESOURCE_EXHAUSTED if the search came to no end.
absl::Status CheckLinearizable(const std::vector<RegisterOperation>& history,
                               const LinearizabilityOptions& options = {});

}  // namespace workload

#endif  // WORKLOAD_LINEARIZABILITY_H_
