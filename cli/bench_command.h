// `isochron bench`: what its flags say. It is measured in tests/bench, which the executable links: no
// floor knows a test.
#ifndef CLI_BENCH_COMMAND_H_
#define CLI_BENCH_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/time.h"

namespace cli {

struct PaxosBenchFlags {
  // How long each sample of a throughput takes.
  double seconds = 2;
  // Idle groups.
  int groups = 3000;
  // Proposals at a time, and clients of etcd.
  int outstanding = 256;
  int value_bytes = 200;
  // What the node that restarts, and the snapshot, hold.
  int megabytes = 1024;
  // For the memory of an idle replica.
  int proposals = 1'000'000;
  // Where the nodes keep their files: on the disk that is to be measured. Empty: a new folder in
  // the system's temporary one.
  std::string data;
  // Which figures; empty: all.
  std::vector<std::string> only;
  bool json = false;
};

// A node of its own process, for the figure that kills one.
struct PaxosNodeFlags {
  int node = 0;
  int port = 0;
  std::string parent;
  std::string data;
};

struct CommitWaitBenchFlags {
  std::vector<runtime::Duration> epsilons;
  // For each median.
  int commits = 200;
  std::string data;
  bool json = false;
};

struct TransactionsBenchFlags {
  // How long each sample of a throughput takes.
  double seconds = 2;
  int clients = 64;
  std::string data;
  bool json = false;
};

// OK, or INVALID_ARGUMENT with the figures that there are.
absl::Status CheckPaxosFigures(const std::vector<std::string>& names);
// The exit status of the process.
int RunPaxosBench(const PaxosBenchFlags& flags);
int RunPaxosNode(const PaxosNodeFlags& flags);
int RunCommitWaitBench(const CommitWaitBenchFlags& flags);
int RunTransactionsBench(const TransactionsBenchFlags& flags);

}  // namespace cli

#endif  // CLI_BENCH_COMMAND_H_
