// SimulatedSource: the time source of a simulated node, its machine's simulated NTP daemon.
#ifndef SIMULATION_SIMULATED_SOURCE_H_
#define SIMULATION_SIMULATED_SOURCE_H_

#include <string>

#include "runtime/simulated/node_world.h"
#include "truetime/source.h"

namespace simulation {

// Asks as chronyd is asked: question and answer take a moment, during which the clocks run on, and
// the answer may never come. `world` outlives it.
class SimulatedSource final : public truetime::TimeSource {
 public:
  explicit SimulatedSource(simulated::NodeWorld* world) : world_(world) {}

  std::string name() const override { return "simulated"; }
  truetime::BaseClock base() const override { return truetime::BaseClock::kRaw; }
  runtime::Task<absl::StatusOr<truetime::Reading>> Read() override;

 private:
  simulated::NodeWorld* const world_;
};

}  // namespace simulation

#endif  // SIMULATION_SIMULATED_SOURCE_H_
