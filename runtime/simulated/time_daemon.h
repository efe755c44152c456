// SimulatedTimeDaemon: the NTP daemon of one simulated machine, as chronyd would look from outside.
//
// It polls its sources, estimates the true time and the oscillator's frequency, slews the realtime
// clock after its estimate, and reports what chronyd's "tracking" reports.
//
// Guarantee: unless told to lie, |realtime + correction - true time| at the moment of a reading is
//            at most root_dispersion + root_delay / 2, whatever the oscillator and the faults do.
//            One poll in eight errs by the whole bound, so code that trusts a little more than the
//            bound is found out.
// Events:    none of its own. Polls are carried out, in order, when somebody next looks.
#ifndef RUNTIME_SIMULATED_TIME_DAEMON_H_
#define RUNTIME_SIMULATED_TIME_DAEMON_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/random.h"
#include "runtime/simulated/clock_model.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

enum class LeapStatus { kNormal, kInsertSecond, kDeleteSecond, kNotSynchronised };

// What the daemon says about the realtime clock at one moment.
struct ReferenceReading {
  Timestamp realtime;     // The clock at that moment.
  Duration correction{};  // realtime + correction is its estimate of the true time.
  Duration root_dispersion{};
  Duration root_delay{};
  LeapStatus leap = LeapStatus::kNotSynchronised;
  Duration age{};  // Since the last poll that counted.
};

struct TimeDaemonOptions {
  Duration poll_every = 4s;
  Duration root_delay = 400us;
  Duration root_dispersion = 100us;  // Just after a poll.
  // How fast the reported dispersion grows between polls, at least.
  int64_t dispersion_ppb = 1'000;
  // The fastest slew (chrony's maxslewrate).
  int64_t slew_ppb = 1'000'000;
  // A larger error is stepped at a poll, not slewed; zero: never.
  Duration step_threshold = 1s;
};

class SimulatedTimeDaemon {
 public:
  SimulatedTimeDaemon(Recorder* recorder, NodeId node, ClockModel* clock, TimeDaemonOptions options,
                      uint64_t seed);
  SimulatedTimeDaemon(const SimulatedTimeDaemon&) = delete;
  SimulatedTimeDaemon& operator=(const SimulatedTimeDaemon&) = delete;

  // What it reports now. UNAVAILABLE while it is silent.
  absl::StatusOr<ReferenceReading> Read();

  // Faults. Each lasts until it is taken back.
  // The sources are gone: no poll succeeds; after eight, it calls itself not synchronised.
  void LoseSources();
  void RegainSources();
  // The daemon is down and answers nobody.
  void SetSilent(bool silent);
  // Its estimate is off by `offset` beyond the truth, and no bound that it reports says so. Zero:
  // truthful again. The realtime clock is slewed after the estimate from the next poll on.
  void Lie(Duration offset);
  // A source stepped by `offset`: a lie, and the realtime clock is stepped with it at once.
  void StepSource(Duration offset);
  // Somebody stepped the realtime clock; the daemon knows and corrects, its readings stay true.
  void StepRealtime(Duration offset);
  // From the next poll on it reports such a delay and dispersion.
  void SetBound(Duration root_delay, Duration root_dispersion);

  bool has_sources() const { return has_sources_; }
  bool silent() const { return silent_; }
  Duration lie() const { return lie_; }

 private:
  void CatchUp();
  void Poll(MonotonicTime moment);
  // The estimate of true time at `moment`, in nanoseconds.
  int64_t EstimateAt(MonotonicTime moment);
  void Record(uint64_t what, int64_t value);

  Recorder& recorder_;
  const NodeId node_;
  ClockModel& clock_;
  TimeDaemonOptions options_;
  runtime::Random random_;

  MonotonicTime next_poll_;
  bool has_sources_ = true;
  bool silent_ = false;
  Duration lie_{};

  // The last poll that counted: the estimate at that moment, and what it is extrapolated with.
  MonotonicTime polled_at_;
  int64_t estimate_ = 0;
  int64_t estimate_raw_ = 0;
  int64_t estimate_frequency_ppb_ = 0;
  Duration estimate_suspended_for_{};
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_TIME_DAEMON_H_
