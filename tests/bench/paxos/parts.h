// The figures of `isochron bench paxos`, each measured by itself.
#ifndef TESTS_BENCH_PAXOS_PARTS_H_
#define TESTS_BENCH_PAXOS_PARTS_H_

#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/bench_command.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/report.h"

namespace bench {

class Bench {
 public:
  // Files go below `directory`. All outlive it.
  Bench(const cli::PaxosBenchFlags* flags, std::string directory, Report* report)
      : flags(*flags), directory(std::move(directory)), report(*report) {}

  // The value, for a sample; without one the part has failed.
  double Take(const absl::StatusOr<double>& sample) {
    if (sample.ok()) return *sample;
    error.Update(sample.status());
    return std::numeric_limits<double>::quiet_NaN();
  }

  const cli::PaxosBenchFlags& flags;
  const std::string directory;
  Report& report;
  absl::Status error;  // Of the first sample that failed.
  // The nodes with a lot of data, which two parts use.
  std::unique_ptr<Cluster> loaded;
};

struct Part {
  const char* name;
  absl::Status (*measure)(Bench* bench);
};

absl::Status MeasureIdleGroups(Bench* bench);   // "idle"
absl::Status MeasureIdleMemory(Bench* bench);   // "memory"
absl::Status MeasureCommit(Bench* bench);       // "commit"
absl::Status MeasureThroughput(Bench* bench);   // "throughput"
absl::Status MeasureAgainstEtcd(Bench* bench);  // "etcd"
absl::Status MeasureHandOver(Bench* bench);     // "hand-over"
absl::Status MeasureFailOver(Bench* bench);     // "fail-over"
absl::Status MeasureRestart(Bench* bench);      // "restart"
absl::Status MeasureSnapshot(Bench* bench);     // "snapshot"

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_PARTS_H_
