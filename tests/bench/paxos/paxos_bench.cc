// RunPaxosBench: runs the parts that were asked for, and says how they turned out.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/bench_command.h"
#include "cli/command.h"
#include "tests/bench/paxos/folder.h"
#include "tests/bench/paxos/interrupt_watch.h"
#include "tests/bench/paxos/parts.h"
#include "tests/bench/report.h"

namespace bench {
namespace {

// What is measured of memory comes first, while nothing else has left its traces there.
constexpr Part kParts[] = {
    {"idle", MeasureIdleGroups},    {"memory", MeasureIdleMemory},
    {"commit", MeasureCommit},      {"throughput", MeasureThroughput},
    {"etcd", MeasureAgainstEtcd},   {"hand-over", MeasureHandOver},
    {"fail-over", MeasureFailOver}, {"restart", MeasureRestart},
    {"snapshot", MeasureSnapshot},
};

absl::Status RunParts(const cli::PaxosBenchFlags& flags, const Folder& folder, Report* report) {
  Bench bench(&flags, folder.path(), report);
  for (const Part& part : kParts) {
    const bool wanted = flags.only.empty() || std::find(flags.only.begin(), flags.only.end(),
                                                        part.name) != flags.only.end();
    if (!wanted) continue;
    const absl::Status measured = part.measure(&bench);
    if (!measured.ok()) {
      return absl::Status(
          measured.code(),
          absl::StrCat("the figure '", part.name, "' could not be measured: ", measured.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace bench

namespace cli {

absl::Status CheckPaxosFigures(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const bench::Part& part : bench::kParts) known.emplace_back(part.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no figure '", name, "': the figures are ", absl::StrJoin(known, ", ")));
  }
  return absl::OkStatus();
}

int RunPaxosBench(const PaxosBenchFlags& flags) {
  absl::StatusOr<bench::Folder> folder = bench::Folder::Make(flags.data);
  if (!folder.ok()) return Refuse(folder.status());
  bench::Report report(flags.json ? bench::Report::Output::kNothing
                                  : bench::Report::Output::kTable);
  const bench::InterruptWatch watch(&*folder);
  const absl::Status measured = bench::RunParts(flags, *folder, &report);
  if (!measured.ok()) return Refuse(measured);
  if (flags.json) std::printf("%s\n", report.ToJson().c_str());
  return report.all_met() ? kExitOk : kExitFailed;
}

}  // namespace cli
