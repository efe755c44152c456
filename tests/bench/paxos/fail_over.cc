// How long nobody can write after the leader's process was killed.
#include <algorithm>
#include <chrono>
#include <memory>

#include "paxos/kernel/options.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/node_process.h"
#include "tests/bench/paxos/parts.h"

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr int kKills = 3;
constexpr int kPutsBefore = 200;
constexpr runtime::Duration kTimeout = 60s;
constexpr double kBeyondLeaseMilliseconds = 500;

}  // namespace

absl::Status MeasureFailOver(Bench* bench) {
  ASSIGN_OR_RETURN(const std::unique_ptr<NodeProcesses> nodes,
                   NodeProcesses::Start(bench->directory));
  const double lease =
      std::chrono::duration<double, std::milli>(paxos::ReplicaOptions().lease).count();
  double worst = 0;
  for (int i = 0; i < kKills; ++i) {
    for (int put = 0; put < kPutsBefore; ++put) RETURN_IF_ERROR(nodes->Put(kTimeout).status());
    ASSIGN_OR_RETURN(const runtime::NodeId leader, nodes->Put(kTimeout));
    const double begin = Now();
    nodes->Kill(leader);
    RETURN_IF_ERROR(nodes->Put(kTimeout).status());
    worst = std::max(worst, (Now() - begin) * 1e3);
    RETURN_IF_ERROR(nodes->Restart(leader));
  }
  bench->report.Record({.figure = "fail-over after kill -9, worst of 3",
                        .unit = "ms",
                        .value = worst,
                        .bound = lease + kBeyondLeaseMilliseconds,
                        .bound_is_ratio = false});
  return absl::OkStatus();
}

}  // namespace bench
