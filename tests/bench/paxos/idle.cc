// What groups cost while nobody asks anything of them.
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/load.h"
#include "tests/bench/paxos/parts.h"
#include "tests/bench/paxos/process.h"

namespace bench {
namespace {

constexpr double kMegabytesMax = 600;
constexpr double kCpuPercentMax = 10;
// The first tenth of the proposals fills caches and buffers.
constexpr uint64_t kTenths = 10;
// Looks at the memory in a tenth, which goes up and down with the store's buffers.
constexpr uint64_t kLooks = 20;
constexpr double kGrowthMax = 1.1;

void Sleep(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

}  // namespace

absl::Status MeasureIdleGroups(Bench* bench) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Start(bench->directory));
  const double before = ResidentMegabytes();
  const auto groups = static_cast<uint64_t>(bench->flags.groups);
  RETURN_IF_ERROR(cluster->CreateGroups(1, groups));
  const double quiet = std::max(3.0, 5 * bench->flags.seconds);
  Sleep(quiet / 2);  // What making them left to be done.
  const double cpu = CpuSeconds();
  const double begin = Now();
  Sleep(quiet);
  const double percent = (CpuSeconds() - cpu) / (Now() - begin) * 100;
  const std::string figure = absl::StrCat(groups, " idle groups on three nodes");
  bench->report.Record({.figure = figure + ", CPU",
                        .unit = "% of a core",
                        .value = percent,
                        .bound = kCpuPercentMax,
                        .bound_is_ratio = false});
  bench->report.Record({.figure = figure + ", memory",
                        .unit = "MB",
                        .value = ResidentMegabytes(),
                        .bound = kMegabytesMax,
                        .bound_is_ratio = false});
  bench->report.Record({.figure = "an idle replica, memory",
                        .unit = "KB",
                        .value = (ResidentMegabytes() - before) * 1024 /
                                 static_cast<double>(groups * Cluster::kNodes),
                        .bound = kMegabytesMax * 1024 / (3000 * Cluster::kNodes),
                        .bound_is_ratio = false});
  return absl::OkStatus();
}

absl::Status MeasureIdleMemory(Bench* bench) {
  constexpr storage::GroupId kBusy(1);
  constexpr uint64_t kIdle = 2;
  ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Start(bench->directory));
  RETURN_IF_ERROR(cluster->CreateGroups(kBusy.value(), kIdle));
  ASSIGN_OR_RETURN(Node* const leader, cluster->FindLeader(kBusy));
  const auto propose = [&](uint64_t proposals) {
    return leader->world()
        .RunUntilDone(RunLoad(leader, {.group = kBusy,
                                       .outstanding = bench->flags.outstanding,
                                       .value_bytes = static_cast<size_t>(bench->flags.value_bytes),
                                       .proposals = proposals}))
        .status();
  };
  const uint64_t tenth = static_cast<uint64_t>(bench->flags.proposals) / kTenths;
  // The median of a tenth.
  const auto look = [&]() -> absl::StatusOr<double> {
    std::vector<double> megabytes;
    for (uint64_t i = 0; i < kLooks; ++i) {
      RETURN_IF_ERROR(propose(tenth / kLooks));
      megabytes.push_back(AnonymousMegabytes());
    }
    std::sort(megabytes.begin(), megabytes.end());
    return megabytes[kLooks / 2];
  };
  RETURN_IF_ERROR(propose(tenth));
  ASSIGN_OR_RETURN(const double before, look());
  RETURN_IF_ERROR(propose((kTenths - 3) * tenth));
  ASSIGN_OR_RETURN(const double after, look());
  bench->report.Record(
      {.figure = absl::StrCat("memory, the last tenth of ", kTenths * tenth, " proposals"),
       .unit = "MB",
       .value = after,
       .reference = "the second tenth",
       .reference_value = before,
       .bound = kGrowthMax});
  return absl::OkStatus();
}

}  // namespace bench
