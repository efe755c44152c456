// A little of everything, for the tests of determinism and of crashes: three nodes that write to
// LevelDB, call each other and send messages, under a nemesis that crashes, pauses and cuts them.
#ifndef TESTS_RUNTIME_SIMULATED_MIXED_WORKLOAD_H_
#define TESTS_RUNTIME_SIMULATED_MIXED_WORKLOAD_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace simulated {

struct MixedResult {
  uint64_t hash = 0;
  uint64_t events = 0;
  uint64_t writes = 0;      // Acknowledged.
  uint64_t background = 0;  // LevelDB's background runs.
  uint64_t crashes = 0;
  absl::Status violation;
};

// Runs it from `seed` for a second of virtual time. `order`, if given, is asked by the nodes
// for the order in which to greet their peers: a permutation of "123".
MixedResult RunMixed(uint64_t seed, std::function<std::string()> order = nullptr);

// The same, but crashes every node after so many events and restarts them; then runs on until each
// has recovered.
absl::Status RunMixedAndCrashAfter(uint64_t seed, uint64_t events);

}  // namespace simulated

#endif  // TESTS_RUNTIME_SIMULATED_MIXED_WORKLOAD_H_
