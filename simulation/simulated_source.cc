#include "simulation/simulated_source.h"

#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"

namespace simulation {
namespace {

using runtime::operator""us;
using runtime::operator""ms;

// One way of the question to the daemon, in the mean.
constexpr runtime::Duration kWay = 30us;

runtime::Duration OneWay(simulated::NodeWorld* world) {
  if (world->experiments().Buggify("simulation.slow_reading"))
    return world->random().Uniform(0us, 50ms);
  return world->random().Exponential(kWay);
}

}  // namespace

runtime::Task<absl::StatusOr<truetime::Reading>> SimulatedSource::Read() {
  truetime::Reading reading;
  reading.before = truetime::ReadBase(world_->clocks(), base());
  CO_RETURN_IF_ERROR(co_await runtime::SleepFor(OneWay(world_)));
  CO_ASSIGN_OR_RETURN(const simulated::ReferenceReading answer, world_->time_daemon().Read());
  CO_RETURN_IF_ERROR(co_await runtime::SleepFor(OneWay(world_)));
  reading.after = truetime::ReadBase(world_->clocks(), base());
  if (answer.leap == simulated::LeapStatus::kNotSynchronised) {
    co_return absl::UnavailableError("the time daemon has no sources");
  }
  // TT-BOUND: centred on the daemon's estimate of the true time, as with chrony.
  reading.interval = truetime::Interval::Around(answer.realtime + answer.correction,
                                                answer.root_dispersion + answer.root_delay / 2);
  reading.detail.correction = answer.correction;
  reading.detail.root_dispersion = answer.root_dispersion;
  reading.detail.root_delay = answer.root_delay;
  reading.detail.reference_age = answer.age;
  co_return reading;
}

}  // namespace simulation
