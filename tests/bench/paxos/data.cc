// What a lot of data costs: a restart with it, and sending all of it to a replica that lost it.
#include <chrono>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/status_macros.h"
#include "storage/store.h"
#include "storage/view.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/load.h"
#include "tests/bench/paxos/parts.h"
#include "tests/bench/paxos/put_machine.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using runtime::Task;

constexpr storage::GroupId kGroup(1);
constexpr size_t kRowBytes = 16 << 10;
constexpr int kFilling = 64;  // Proposals at a time.
constexpr double kInstallSecondsMax = 600;
constexpr double kCutSecondsMax = 60;

uint64_t Rows(const Bench& bench) {
  return static_cast<uint64_t>(bench.flags.megabytes) * (size_t{1} << 20) / kRowBytes;
}

// The cluster with all the rows, made by the first part that needs it.
absl::StatusOr<Cluster*> Loaded(Bench* bench) {
  if (bench->loaded != nullptr) return bench->loaded.get();
  ASSIGN_OR_RETURN(std::unique_ptr<Cluster> cluster, Cluster::Start(bench->directory));
  RETURN_IF_ERROR(cluster->CreateGroups(kGroup.value(), kGroup.value()));
  ASSIGN_OR_RETURN(Node* const leader, cluster->FindLeader(kGroup));
  RETURN_IF_ERROR(leader->world()
                      .RunUntilDone(RunLoad(leader, {.group = kGroup,
                                                     .outstanding = kFilling,
                                                     .value_bytes = kRowBytes,
                                                     .proposals = Rows(*bench),
                                                     .new_rows = true}))
                      .status());
  bench->loaded = std::move(cluster);
  return bench->loaded.get();
}

Task<absl::Status> WaitUntilApplied(Node* node, storage::Slot slot) {
  const auto group = FindGroup(node, kGroup);
  co_return co_await runtime::WithTimeout(60s, group->WaitUntilApplied(slot));
}

// Whether the row that was written last can be read here.
Task<absl::Status> ReadLastRow(Node* node, uint64_t rows) {
  storage::Store* const store = node->host()->store();
  if (store == nullptr) co_return absl::UnavailableError("the store is not open");
  CO_ASSIGN_OR_RETURN(storage::View view, store->NewView(kGroup));
  CO_ASSIGN_OR_RETURN(const auto row, view.Newest(RowKey(kGroup, absl::StrCat("row-", rows - 1))));
  const bool whole = row.has_value() && row->value.has_value() && row->value->size() == kRowBytes;
  co_return whole ? absl::OkStatus() : absl::InternalError("the row that was written last is gone");
}

absl::StatusOr<double> ProposalsPerSecond(Node* leader, const Bench& bench, double seconds) {
  ASSIGN_OR_RETURN(const LoadResult result,
                   leader->world().RunUntilDone(
                       RunLoad(leader, {.group = kGroup,
                                        .outstanding = bench.flags.outstanding,
                                        .value_bytes = static_cast<size_t>(bench.flags.value_bytes),
                                        .seconds = seconds})));
  return result.per_second();
}

absl::StatusOr<double> RestartSeconds(Cluster* cluster, Node* node, uint64_t rows) {
  ASSIGN_OR_RETURN(Node* const leader, cluster->FindLeader(kGroup));
  const storage::Slot applied =
      leader->world().RunUntilDone(StatusOf(leader, kGroup)).chosen_through;
  RETURN_IF_ERROR(node->world().RunUntilDone(WaitUntilApplied(node, applied)));
  node->Close();
  const double begin = Now();
  RETURN_IF_ERROR(node->Open());
  RETURN_IF_ERROR(node->world().RunUntilDone(WaitUntilApplied(node, applied)));
  RETURN_IF_ERROR(node->world().RunUntilDone(ReadLastRow(node, rows)));
  return Now() - begin;
}

bool Has(const paxos::GroupStatus& status, storage::Slot slot) {
  return status.installed && status.applied >= slot;
}

// Until a replica without its state cannot be brought up from the logs alone.
absl::Status WaitUntilLogsAreCut(Cluster* cluster, const Bench& bench) {
  const double give_up = Now() + kCutSecondsMax;
  const uint64_t whole = static_cast<uint64_t>(bench.flags.megabytes) << 20;
  for (int i = 0; i < Cluster::kNodes; ++i) {
    Node& node = cluster->node(i);
    while (node.world().RunUntilDone(StatusOf(&node, kGroup)).log_bytes > whole / 2) {
      if (Now() > give_up) return absl::UnavailableError("the log is not cut");
      std::this_thread::sleep_for(100ms);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureRestart(Bench* bench) {
  ASSIGN_OR_RETURN(Cluster* const cluster, Loaded(bench));
  ASSIGN_OR_RETURN(Node* const node, cluster->FindFollower(kGroup));
  bench->report.Measure(
      absl::StrCat("restart with ", bench->flags.megabytes, " MB until it serves"), "ms",
      [&] { return bench->Take(RestartSeconds(cluster, node, Rows(*bench))) * 1e3; },
      Report::Target::kAtMost, 3000, 3);
  return bench->error;
}

absl::Status MeasureSnapshot(Bench* bench) {
  ASSIGN_OR_RETURN(Cluster* const cluster, Loaded(bench));
  ASSIGN_OR_RETURN(Node* const node, cluster->FindFollower(kGroup));
  ASSIGN_OR_RETURN(Node* const leader, cluster->FindLeader(kGroup));
  ASSIGN_OR_RETURN(const double before,
                   ProposalsPerSecond(leader, *bench, 2 * bench->flags.seconds));
  RETURN_IF_ERROR(WaitUntilLogsAreCut(cluster, *bench));
  const storage::Slot last = leader->world().RunUntilDone(StatusOf(leader, kGroup)).applied;
  // The store is lost; the votes are not.
  node->Close();
  cluster->folder().Remove(node->store_directory().substr(cluster->folder().path().size() + 1));
  const double begin = Now();
  RETURN_IF_ERROR(node->Open());
  uint64_t slices = 0;
  double meanwhile = 0;
  while (!Has(node->world().RunUntilDone(StatusOf(node, kGroup)), last)) {
    if (Now() - begin > kInstallSecondsMax) return absl::UnavailableError("no snapshot came");
    ASSIGN_OR_RETURN(const double rate, ProposalsPerSecond(leader, *bench, 0.2));
    meanwhile += rate;
    ++slices;
  }
  const double took = Now() - begin;
  RETURN_IF_ERROR(node->world().RunUntilDone(ReadLastRow(node, Rows(*bench))));
  if (slices == 0) return absl::InternalError("the node did not need a snapshot");
  bench->report.Record({.figure = absl::StrCat("snapshot of ", bench->flags.megabytes, " MB"),
                        .unit = "MB/s",
                        .value = bench->flags.megabytes / took,
                        .target = Report::Target::kAtLeast,
                        .bound = 40,
                        .bound_is_ratio = false});
  bench->report.Record({.figure = "proposals while a snapshot is sent",
                        .unit = "1/s",
                        .value = meanwhile / static_cast<double>(slices),
                        .reference = "the same before",
                        .reference_value = before,
                        .target = Report::Target::kAtLeast,
                        .bound = 0.6});
  return absl::OkStatus();
}

}  // namespace bench
