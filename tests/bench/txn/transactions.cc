// RunTransactionsBench: what transactions cost beside what they are made of.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/bench_command.h"
#include "cli/command.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/etcd.h"
#include "tests/bench/paxos/interrupt_watch.h"
#include "tests/bench/paxos/process.h"
#include "tests/bench/report.h"
#include "tests/bench/txn/shard_tenant.h"
#include "tests/bench/txn/workloads.h"

namespace bench {
namespace {

constexpr int kShards = 6;
constexpr int kOneByOne = 300;
constexpr int kReads = 20'000;
constexpr int kOutstanding = 256;
constexpr int kRounds = 5;

using Workload = runtime::Task<absl::Status> (*)(Node* node, OneByOne how);

class TransactionsBench {
 public:
  TransactionsBench(const cli::TransactionsBenchFlags* flags, Cluster* cluster, Report* report)
      : flags_(*flags), cluster_(*cluster), node_(cluster->node(0)), report_(*report) {}

  absl::Status Measure();

 private:
  double Take(const absl::StatusOr<double>& sample) {
    if (sample.ok()) return *sample;
    error_.Update(sample.status());
    return std::numeric_limits<double>::quiet_NaN();
  }
  absl::StatusOr<double> MedianOf(Workload workload);
  absl::StatusOr<double> TransfersPerSecond();
  absl::StatusOr<double> ProposalsPerSecond();
  absl::StatusOr<double> ReadMicroseconds();
  void MeasureLatency();
  void MeasureThroughput();
  void MeasureReads();
  absl::Status MeasureEtcd();
  absl::Status MeasureHotKey();

  const cli::TransactionsBenchFlags& flags_;
  Cluster& cluster_;
  Node& node_;
  Report& report_;
  absl::Status error_;
};

absl::StatusOr<double> TransactionsBench::MedianOf(Workload workload) {
  Latencies latencies;
  RETURN_IF_ERROR(
      node_.world().RunUntilDone(workload(&node_, {.count = kOneByOne, .latencies = &latencies})));
  return latencies.Median();
}

absl::StatusOr<double> TransactionsBench::TransfersPerSecond() {
  ASSIGN_OR_RETURN(
      const ManyResult result,
      node_.world().RunUntilDone(RunTransfers(
          &node_, {.clients = flags_.clients, .shards = kShards, .seconds = flags_.seconds})));
  return result.per_second();
}

absl::StatusOr<double> TransactionsBench::ProposalsPerSecond() {
  ASSIGN_OR_RETURN(const ManyResult result,
                   node_.world().RunUntilDone(
                       RunProposals(&node_, {.clients = kOutstanding, .seconds = flags_.seconds})));
  return result.per_second();
}

absl::StatusOr<double> TransactionsBench::ReadMicroseconds() {
  Latencies latencies;
  const double begin = CpuSeconds();
  RETURN_IF_ERROR(
      node_.world().RunUntilDone(ReadNewest(&node_, {.count = kReads, .latencies = &latencies})));
  return (CpuSeconds() - begin) / kReads * 1e6;
}

void TransactionsBench::MeasureLatency() {
  report_.Compare({"transfer between two groups, median", "one row in one group", "us",
                   [this] { return Take(MedianOf(TransferBetweenShards)); },
                   [this] { return Take(MedianOf(WriteInOneShard)); }, Report::Target::kAtMost, 2.5,
                   kRounds});
}

void TransactionsBench::MeasureThroughput() {
  report_.Compare(
      {absl::StrCat("transfers over ", kShards, " groups, ", flags_.clients, " clients"),
       absl::StrCat("proposals in one group, ", kOutstanding, " outstanding"), "1/s",
       [this] { return Take(TransfersPerSecond()); }, [this] { return Take(ProposalsPerSecond()); },
       Report::Target::kAtLeast, 0.2, kRounds});
}

void TransactionsBench::MeasureReads() {
  report_.Measure(
      "a snapshot read on the node that leads, CPU of the process", "us",
      [this] { return Take(ReadMicroseconds()); }, Report::Target::kAtMost, 15, kRounds);
}

absl::Status TransactionsBench::MeasureEtcd() {
  if (!Etcd::Available()) {
    std::fprintf(stderr, "etcd is left out: Debian's package etcd-server is not installed\n");
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Etcd> etcd, Etcd::Start(cluster_.folder().Sub("etcd")));
  report_.Compare(
      {absl::StrCat("transfers over ", kShards, " groups, ", flags_.clients, " clients"),
       "etcd x 3, transfers in transactions", "1/s", [this] { return Take(TransfersPerSecond()); },
       [&] { return etcd->TransfersPerSecond(flags_.clients, flags_.seconds); },
       Report::Target::kAtLeast, 2, kRounds});
  return absl::OkStatus();
}

absl::Status TransactionsBench::MeasureHotKey() {
  ASSIGN_OR_RETURN(ManyResult result,
                   node_.world().RunUntilDone(
                       RunHotKey(&node_, {.clients = flags_.clients, .seconds = flags_.seconds})));
  std::sort(result.attempts.begin(), result.attempts.end());
  const auto at = [&result](double share) {
    const auto last = static_cast<double>(result.attempts.size() - 1);
    return result.attempts[static_cast<size_t>(share * last)];
  };
  if (!flags_.json) {
    std::printf(
        "  %d writers of one row: %.0f commits/s; attempts: half %d, 90 %% %d, 99 %% %d, at most "
        "%d\n",
        flags_.clients, result.per_second(), at(0.5), at(0.9), at(0.99), at(1));
  }
  report_.Record({.figure = absl::StrCat(flags_.clients, " writers of one row, attempts at most"),
                  .unit = "",
                  .value = static_cast<double>(at(1)),
                  .target = Report::Target::kAtMost,
                  .bound = 50,
                  .bound_is_ratio = false});
  return absl::OkStatus();
}

absl::Status TransactionsBench::Measure() {
  MeasureLatency();
  MeasureThroughput();
  MeasureReads();
  RETURN_IF_ERROR(MeasureEtcd());
  RETURN_IF_ERROR(MeasureHotKey());
  return error_;
}

}  // namespace
}  // namespace bench

namespace cli {

int RunTransactionsBench(const TransactionsBenchFlags& flags) {
  absl::StatusOr<bench::Folder> folder = bench::Folder::Make(flags.data);
  if (!folder.ok()) return Refuse(folder.status());
  bench::Report report(flags.json ? bench::Report::Output::kNothing
                                  : bench::Report::Output::kTable);
  const bench::InterruptWatch watch(&*folder);
  absl::StatusOr<std::unique_ptr<bench::Cluster>> cluster =
      bench::StartShards(folder->path(), bench::kShards);
  if (!cluster.ok()) return Refuse(cluster.status());
  bench::SetEpsilon(cluster->get(), runtime::Duration(0));
  bench::TransactionsBench measuring(&flags, cluster->get(), &report);
  const absl::Status measured = measuring.Measure();
  if (!measured.ok()) return Refuse(measured);
  if (flags.json) std::printf("%s\n", report.ToJson().c_str());
  return report.all_met() ? kExitOk : kExitFailed;
}

}  // namespace cli
