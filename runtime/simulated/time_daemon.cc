#include "runtime/simulated/time_daemon.h"

#include <algorithm>
#include <cstdlib>

#include "absl/status/status.h"
#include "runtime/check.h"

namespace simulated {
namespace {

// Polls missed in a row until a daemon calls itself not synchronised (NTP's reach register).
constexpr int kReachRegister = 8;

int64_t PartsPerBillion(int64_t length, int64_t ppb) {
  return static_cast<int64_t>(static_cast<__int128>(length) * ppb / 1'000'000'000);
}

}  // namespace

SimulatedTimeDaemon::SimulatedTimeDaemon(Recorder* recorder, NodeId node, ClockModel* clock,
                                         TimeDaemonOptions options, uint64_t seed)
    : recorder_(*recorder), node_(node), clock_(*clock), options_(options), random_(seed) {
  CHECK_GT(options_.poll_every.count(), 0);
  Poll(recorder_.now());
  next_poll_ = recorder_.now() + random_.Uniform(1ns, options_.poll_every);
  clock_.SetDiscipline([this] { CatchUp(); });
}

absl::StatusOr<ReferenceReading> SimulatedTimeDaemon::Read() {
  CatchUp();
  if (silent_) return absl::UnavailableError("the simulated time daemon is silent");
  const MonotonicTime now = recorder_.now();
  ReferenceReading reading;
  reading.realtime = Timestamp(clock_.RealtimeAt(now));
  const int64_t estimate = EstimateAt(now);
  reading.correction = Duration(estimate - reading.realtime.nanoseconds());
  reading.root_delay = options_.root_delay;
  reading.age = now - polled_at_;
  // The daemon's own idea of its error, or the true one where that is more.
  const int64_t growth = PartsPerBillion(reading.age.count(), options_.dispersion_ppb);
  const int64_t error = std::abs(estimate - lie_.count() - recorder_.true_time().nanoseconds());
  reading.root_dispersion = std::max(options_.root_dispersion + Duration(growth),
                                     Duration(error) - options_.root_delay / 2 + 1ns);
  const bool unreachable = !has_sources_ && reading.age > kReachRegister * options_.poll_every;
  reading.leap = unreachable ? LeapStatus::kNotSynchronised : LeapStatus::kNormal;
  return reading;
}

void SimulatedTimeDaemon::LoseSources() {
  CatchUp();
  has_sources_ = false;
  Record(11, 0);
}

void SimulatedTimeDaemon::RegainSources() {
  CatchUp();
  has_sources_ = true;
  Record(12, 0);
}

void SimulatedTimeDaemon::SetSilent(bool silent) {
  CatchUp();
  silent_ = silent;
  Record(13, silent ? 1 : 0);
}

void SimulatedTimeDaemon::Lie(Duration offset) {
  CatchUp();
  estimate_ += (offset - lie_).count();
  lie_ = offset;
  Record(14, offset.count());
}

void SimulatedTimeDaemon::StepSource(Duration offset) {
  Lie(lie_ + offset);
  clock_.StepAt(recorder_.now(), offset);
}

void SimulatedTimeDaemon::StepRealtime(Duration offset) { clock_.Step(offset); }

void SimulatedTimeDaemon::SetBound(Duration root_delay, Duration root_dispersion) {
  CatchUp();
  options_.root_delay = root_delay;
  options_.root_dispersion = root_dispersion;
  Record(15, root_delay.count() + root_dispersion.count());
}

void SimulatedTimeDaemon::CatchUp() {
  if (clock_.suspended()) return;
  // What was missed in a suspension is not made up for.
  next_poll_ = std::max(next_poll_, clock_.awake_since());
  while (next_poll_ <= recorder_.now()) {
    const MonotonicTime moment = next_poll_;
    next_poll_ = next_poll_ + options_.poll_every;
    if (has_sources_ && !silent_) Poll(moment);
  }
}

void SimulatedTimeDaemon::Poll(MonotonicTime moment) {
  const int64_t bound = (options_.root_delay / 2 + options_.root_dispersion).count();
  const bool at_the_edge = random_.Chance(0.125);
  const int64_t error =
      at_the_edge ? (random_.Chance(0.5) ? bound : -bound) : random_.Uniform(-bound, bound);
  polled_at_ = moment;
  estimate_ = recorder_.TrueTimeAt(moment).nanoseconds() + error + lie_.count();
  estimate_raw_ = clock_.RawAt(moment);
  estimate_suspended_for_ = clock_.suspended_for();
  // It has measured the oscillator's rate, to a tenth of a ppm.
  estimate_frequency_ppb_ = -clock_.drift_ppb() + random_.Uniform(-100, 100);

  clock_.SetFrequencyAt(moment, estimate_frequency_ppb_);
  const Duration offset(estimate_ - clock_.RealtimeAt(moment));
  const Duration size = offset < 0ns ? -offset : offset;
  if (options_.step_threshold > 0ns && size > options_.step_threshold) {
    clock_.StepAt(moment, offset);
    clock_.SlewAt(moment, 0ns, options_.slew_ppb);
  } else {
    clock_.SlewAt(moment, offset, options_.slew_ppb);
  }
}

int64_t SimulatedTimeDaemon::EstimateAt(MonotonicTime moment) {
  const int64_t elapsed = clock_.RawAt(moment) - estimate_raw_;
  const Duration slept = clock_.suspended_for() - estimate_suspended_for_;
  return estimate_ + elapsed + PartsPerBillion(elapsed, estimate_frequency_ppb_) + slept.count();
}

void SimulatedTimeDaemon::Record(uint64_t what, int64_t value) {
  recorder_.Fold(Happened::kClock, node_.value(), Mix(what, static_cast<uint64_t>(value)));
}

}  // namespace simulated
