// Load: clients that propose puts at a leader, each its next one as soon as the one before is
// committed.
#ifndef TESTS_BENCH_PAXOS_LOAD_H_
#define TESTS_BENCH_PAXOS_LOAD_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "storage/ids.h"
#include "tests/bench/paxos/latencies.h"
#include "tests/bench/paxos/node.h"

namespace bench {

struct LoadOptions {
  storage::GroupId group;
  int outstanding = 1;
  size_t value_bytes = 200;
  // It ends after so many proposals, or so many seconds, whatever is given.
  std::optional<uint64_t> proposals = std::nullopt;
  std::optional<double> seconds = std::nullopt;
  // How long each commit takes is added to it, if it is given; it outlives the load.
  Latencies* latencies = nullptr;
  // Each row is a new one, instead of one of ten thousand.
  bool new_rows = false;
};

struct LoadResult {
  uint64_t committed = 0;
  double seconds = 0;

  double per_second() const { return static_cast<double>(committed) / seconds; }
};

// On the loop of `leader`. What is refused for the moment is tried again; the first other error
// ends it.
runtime::Task<absl::StatusOr<LoadResult>> RunLoad(Node* leader, LoadOptions options);

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_LOAD_H_
