#include "runtime/simulated/simulated_experiments.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace simulated {

SimulatedExperiments::SimulatedExperiments(Recorder* recorder, uint64_t seed,
                                           std::set<std::string> without, bool buggify)
    : recorder_(*recorder),
      seed_(seed),
      without_(std::move(without)),
      buggify_(buggify),
      random_(seed) {}

bool SimulatedExperiments::Without(absl::string_view rule) {
  return !without_.empty() && without_.contains(std::string(rule));
}

bool SimulatedExperiments::Buggify(absl::string_view site) {
  if (!buggify_) return false;
  const uint64_t name = HashBytes(site);
  if (Mix(seed_, name) % 4 != 0 || !random_.Chance(0.25)) return false;
  recorder_.Fold(Happened::kExperiment, 0, name);
  if (recorder_.tracing()) recorder_.Trace(NodeId(), absl::StrCat("buggify ", site));
  return true;
}

void SimulatedExperiments::Probe(absl::string_view path) { ++probes_[std::string(path)]; }

}  // namespace simulated
