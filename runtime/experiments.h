// Experiments: the hooks by which the simulator, and a cluster started for experiments, bend a
// node.
//
//   if (!world.experiments().Without("TT-MONOTONE")) HoldBack(&interval);   // a rule that can be
//   switched off if (world.experiments().Buggify("network.tiny_batch")) batch_max = 1;   // a rare
//   path made common world.experiments().Probe("truetime.contradiction_found");              //
//   this path was reached
//
// In the real world, unless it was started for experiments, no rule is off, nothing is buggified
// and probes cost a call. Names are string literals.
#ifndef RUNTIME_EXPERIMENTS_H_
#define RUNTIME_EXPERIMENTS_H_

#include "absl/strings/string_view.h"

namespace runtime {

class Experiments {
 public:
  virtual ~Experiments() = default;

  // Whether the protocol rule of that name is switched off, to see what it is good for.
  virtual bool Without(absl::string_view rule) = 0;

  // A site is enabled in some simulated runs (drawn from the seed) and then often fires.
  virtual bool Buggify(absl::string_view site) = 0;

  // Notes that a path was reached: the coverage list names those that no seed has reached yet.
  virtual void Probe(absl::string_view path) = 0;
};

}  // namespace runtime

#endif  // RUNTIME_EXPERIMENTS_H_
