// What the benchmarks of transactions do over and over, on the loop of a node.
#ifndef TESTS_BENCH_TXN_WORKLOADS_H_
#define TESTS_BENCH_TXN_WORKLOADS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "tests/bench/paxos/latencies.h"
#include "tests/bench/paxos/node.h"

namespace bench {

// One client: each its next one as soon as the last has ended. How long each took goes to
// `latencies`, which outlives the task.
struct OneByOne {
  int count = 200;
  // What is written and read is one of so many keys.
  uint64_t keys = 1000;
  Latencies* latencies = nullptr;
};

// Writes one row of shard 1, which this node leads.
runtime::Task<absl::Status> WriteInOneShard(Node* node, OneByOne how);
// Reads a row in each of shards 1 and 2, locked exclusively, and writes both.
runtime::Task<absl::Status> TransferBetweenShards(Node* node, OneByOne how);
// Reads a row of shard 1 as of now, without locks.
runtime::Task<absl::Status> ReadNewest(Node* node, OneByOne how);
// Reads a row of shard 2, which another node leads, as it was a second ago.
runtime::Task<absl::Status> ReadStale(Node* node, OneByOne how);
// An entry of shard 1's log that nobody waits for a commit of.
runtime::Task<absl::Status> Replicate(Node* node, OneByOne how);

// Many clients.
struct ManyClients {
  int clients = 64;
  int shards = 6;
  uint64_t keys_per_shard = 10'000;
  double seconds = 2;
};

struct ManyResult {
  uint64_t committed = 0;
  double seconds = 0;
  // Attempts that each committed transaction needed, and how long it took.
  std::vector<int> attempts = {};
  Latencies latencies = {};

  double per_second() const { return static_cast<double>(committed) / seconds; }
};

// Transfers between rows of different shards.
runtime::Task<absl::StatusOr<ManyResult>> RunTransfers(Node* node, ManyClients how);
// Writes in shard 1's log of what a transfer writes, without any transaction.
runtime::Task<absl::StatusOr<ManyResult>> RunProposals(Node* node, ManyClients how);
// Increments of one row of shard 1.
runtime::Task<absl::StatusOr<ManyResult>> RunHotKey(Node* node, ManyClients how);

}  // namespace bench

#endif  // TESTS_BENCH_TXN_WORKLOADS_H_
