// SimulatedExperiments: which rules are off, which sites are buggified and which paths were
// reached, for a whole universe.
//
// A Buggify site is enabled in a quarter of all seeds (by a hash of seed and name, so that adding a
// site changes no other), and then fires a quarter of the time.
#ifndef RUNTIME_SIMULATED_SIMULATED_EXPERIMENTS_H_
#define RUNTIME_SIMULATED_SIMULATED_EXPERIMENTS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

class SimulatedExperiments final : public runtime::Experiments {
 public:
  SimulatedExperiments(Recorder* recorder, uint64_t seed, std::set<std::string> without,
                       bool buggify);

  bool Without(absl::string_view rule) override;
  bool Buggify(absl::string_view site) override;
  void Probe(absl::string_view path) override;

  // How often each path was reached.
  const std::map<std::string, uint64_t>& probes() const { return probes_; }
  // Switches firing on or off, for the part of a run that must be calm.
  void SetBuggify(bool enabled) { buggify_ = enabled; }

 private:
  Recorder& recorder_;
  const uint64_t seed_;
  const std::set<std::string> without_;
  bool buggify_;
  runtime::Random random_;
  std::map<std::string, uint64_t> probes_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_EXPERIMENTS_H_
