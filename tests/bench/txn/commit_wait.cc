// RunCommitWaitBench: what commit-wait costs as the clocks' uncertainty grows, beside the model of
// docs/transactions.md.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/bench_command.h"
#include "cli/command.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/interrupt_watch.h"
#include "tests/bench/txn/shard_tenant.h"
#include "tests/bench/txn/workloads.h"

namespace bench {
namespace {

using runtime::Duration;

// Shard 1 is led by the node that asks, shard 2 by another one.
constexpr int kShards = 2;
// How far the model may be off: the larger of both.
constexpr double kShare = 0.05;
constexpr double kMicroseconds = 150;

// Medians, in microseconds.
struct Medians {
  double replication = 0;
  double one_group = 0;
  double two_groups = 0;
  double strong_read = 0;
  double stale_read = 0;
};

struct Line {
  double epsilon = 0;
  Medians measured = {};
  Medians model = {};
};

using Workload = runtime::Task<absl::Status> (*)(Node* node, OneByOne how);

absl::StatusOr<double> MedianOf(Node* node, Workload workload, int count) {
  Latencies latencies;
  RETURN_IF_ERROR(
      node->world().RunUntilDone(workload(node, {.count = count, .latencies = &latencies})));
  return latencies.Median();
}

absl::StatusOr<Medians> MeasureOnce(Node* node, int count) {
  Medians medians;
  ASSIGN_OR_RETURN(medians.replication, MedianOf(node, Replicate, count));
  ASSIGN_OR_RETURN(medians.one_group, MedianOf(node, WriteInOneShard, count));
  ASSIGN_OR_RETURN(medians.two_groups, MedianOf(node, TransferBetweenShards, count));
  ASSIGN_OR_RETURN(medians.strong_read, MedianOf(node, ReadNewest, count));
  ASSIGN_OR_RETURN(medians.stale_read, MedianOf(node, ReadStale, count));
  return medians;
}

// What a commit takes when it has to wait until its timestamp, `wait` after it was taken, has
// passed: all but its last replication, and the longer of the two.
double Model(double without_wait, double replication, double wait) {
  return without_wait - replication + std::max(wait, replication);
}

bool Agrees(double measured, double model) {
  return std::abs(measured - model) <= std::max(kShare * model, kMicroseconds);
}

std::string Column(double measured, double model) {
  return absl::StrFormat("%9.0f %9.0f %s", measured, model, Agrees(measured, model) ? " " : "!");
}

void Print(const Line& line) {
  std::printf("%s\n", absl::StrFormat("%7.1f ms  %s  %s  %9.0f %9.0f", line.epsilon / 1000,
                                      Column(line.measured.one_group, line.model.one_group),
                                      Column(line.measured.two_groups, line.model.two_groups),
                                      line.measured.strong_read, line.measured.stale_read)
                          .c_str());
}

std::string ToJson(const std::vector<Line>& lines) {
  nlohmann::json all = nlohmann::json::array();
  for (const Line& line : lines) {
    all.push_back({{"epsilon_us", line.epsilon},
                   {"replication_us", line.measured.replication},
                   {"one_group_us", line.measured.one_group},
                   {"one_group_model_us", line.model.one_group},
                   {"two_groups_us", line.measured.two_groups},
                   {"two_groups_model_us", line.model.two_groups},
                   {"strong_read_us", line.measured.strong_read},
                   {"stale_read_us", line.measured.stale_read}});
  }
  return all.dump(2);
}

absl::StatusOr<std::vector<Line>> Measure(const cli::CommitWaitBenchFlags& flags,
                                          const Folder& folder) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, StartShards(folder.path(), kShards));
  Node* const node = &cluster->node(0);
  SetEpsilon(cluster.get(), Duration(0));
  RETURN_IF_ERROR(MeasureOnce(node, flags.commits).status());  // Warm.
  ASSIGN_OR_RETURN(const Medians without_wait, MeasureOnce(node, flags.commits));
  std::vector<Line> lines;
  for (const Duration epsilon : flags.epsilons) {
    SetEpsilon(cluster.get(), epsilon);
    Line line{.epsilon = std::chrono::duration<double, std::micro>(epsilon).count()};
    ASSIGN_OR_RETURN(line.measured, MeasureOnce(node, flags.commits));
    const double wait = 2 * line.epsilon;
    line.model.one_group = Model(without_wait.one_group, without_wait.replication, wait);
    line.model.two_groups = Model(without_wait.two_groups, without_wait.replication, wait);
    if (!flags.json) Print(line);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace
}  // namespace bench

namespace cli {

int RunCommitWaitBench(const CommitWaitBenchFlags& flags) {
  absl::StatusOr<bench::Folder> folder = bench::Folder::Make(flags.data);
  if (!folder.ok()) return Refuse(folder.status());
  const bench::InterruptWatch watch(&*folder);
  if (!flags.json) {
    std::printf(
        "Medians of %d, in microseconds; ! where the model is off by more than 5 %% and 150 us.\n"
        "   epsilon    one group     model    two groups     model       strong     stale read\n",
        flags.commits);
  }
  const absl::StatusOr<std::vector<bench::Line>> lines = bench::Measure(flags, *folder);
  if (!lines.ok()) return Refuse(lines.status());
  if (flags.json) std::printf("%s\n", bench::ToJson(*lines).c_str());
  const bool agree = std::all_of(lines->begin(), lines->end(), [](const bench::Line& line) {
    return bench::Agrees(line.measured.one_group, line.model.one_group) &&
           bench::Agrees(line.measured.two_groups, line.model.two_groups);
  });
  return agree ? kExitOk : kExitFailed;
}

}  // namespace cli
