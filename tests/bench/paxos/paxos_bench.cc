// RunPaxosBench: runs the parts that were asked for, and says how they turned out.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/bench_command.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "tests/bench/paxos/folder.h"
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

// Takes the folder away when a person has had enough.
class InterruptWatch {
 public:
  explicit InterruptWatch(const Folder* folder) : thread_([this, folder] { Watch(folder); }) {
    cli::WatchForInterrupts();
  }
  ~InterruptWatch() {
    stop_ = true;
    thread_.join();
  }

 private:
  void Watch(const Folder* folder) {
    while (!stop_) {
      if (cli::Interrupted()) {
        // The nodes go on making files until the process ends, but not in a folder that is gone.
        for (int i = 0; i < kRemovals; ++i) folder->Remove("");
        std::_Exit(kInterrupted);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  static constexpr int kInterrupted = 130;
  static constexpr int kRemovals = 20;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
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
