// ChosenExperiments: the rules that whoever started this process switched off; usually none.
#ifndef RUNTIME_REAL_CHOSEN_EXPERIMENTS_H_
#define RUNTIME_REAL_CHOSEN_EXPERIMENTS_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runtime/experiments.h"

namespace real {

class ChosenExperiments final : public runtime::Experiments {
 public:
  explicit ChosenExperiments(std::vector<std::string> without) : without_(std::move(without)) {}

  bool Without(absl::string_view rule) override {
    return std::any_of(without_.begin(), without_.end(),
                       [rule](const std::string& name) { return rule == name; });
  }
  // Rare paths are made common, and counted, in the simulator only.
  bool Buggify(absl::string_view) override { return false; }
  void Probe(absl::string_view) override {}

 private:
  const std::vector<std::string> without_;
};

}  // namespace real

#endif  // RUNTIME_REAL_CHOSEN_EXPERIMENTS_H_
