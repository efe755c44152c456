// ClockModel: the clocks of one simulated machine, made from true time.
//
//   raw       an oscillator that starts anywhere and drifts, within +-drift_ppm_max, at a rate that
//             is drawn anew every wander_every; it stands still while the machine is suspended.
//   realtime  raw, corrected as adjtimex() does: a frequency, a slew that ends by itself, steps.
//
// All rates and bounds hold exactly, in integer arithmetic: a test may rely on the drift bound to
// the nanosecond (plus one for rounding).
#ifndef RUNTIME_SIMULATED_CLOCK_MODEL_H_
#define RUNTIME_SIMULATED_CLOCK_MODEL_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "runtime/clocks.h"
#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

struct ClockOptions {
  // The oscillator's worst drift.
  double drift_ppm_max = 200;
  // How long it keeps one rate; zero: for ever.
  Duration wander_every = 20s;
  // How far from true time the realtime clock starts, at most.
  Duration realtime_error_max = 20ms;
};

class ClockModel final : public runtime::Clocks {
 public:
  ClockModel(Recorder* recorder, NodeId node, ClockOptions options, uint64_t seed);

  // runtime::Clocks: what the node sees, now.
  MonotonicTime Raw() override;
  Timestamp Realtime() override;
  runtime::Suspensions Suspended() override;

  // Faults of the oscillator: from now on it drifts at this rate, and wanders no more.
  void SetDrift(double ppm);
  double drift_ppm() const { return static_cast<double>(drift_ppb_) * 1e-3; }

  // Faults and discipline of the realtime clock.
  // It runs this much faster than raw (adjtimex's frequency), from now on.
  void SetFrequency(int64_t ppb);
  // It is moved by `amount`, gradually, at up to `rate_ppb`; replaces a slew under way.
  void Slew(Duration amount, int64_t rate_ppb);
  // It is moved by `amount` at once.
  void Step(Duration amount);

  // The machine is suspended: raw stands still. On waking, realtime has gone on.
  void Suspend();
  void Wake();
  bool suspended() const { return suspended_; }
  // The length of all suspensions that have ended, and when the last one did.
  Duration suspended_for() const { return suspended_for_; }
  MonotonicTime awake_since() const { return awake_since_; }

  // The same at a moment that is not before the last one asked about: for a daemon, whose actions
  // are carried out when somebody looks. `catch_up` is called before each reading or fault.
  void SetDiscipline(std::function<void()> catch_up) { catch_up_ = std::move(catch_up); }
  int64_t RawAt(MonotonicTime moment);
  int64_t RealtimeAt(MonotonicTime moment);
  void SlewAt(MonotonicTime moment, Duration amount, int64_t rate_ppb);
  void SetFrequencyAt(MonotonicTime moment, int64_t ppb);
  void StepAt(MonotonicTime moment, Duration amount);
  int64_t drift_ppb() const { return drift_ppb_; }

 private:
  // Starts a new stretch of constant drift at `moment`.
  void AnchorOscillator(MonotonicTime moment, int64_t drift_ppb);
  int64_t RawWithoutWander(MonotonicTime moment) const;
  __int128 TurnedAt(MonotonicTime moment) const;
  // Makes the realtime clock's present state the start of its next stretch.
  void AnchorRealtime(MonotonicTime moment);
  int64_t SlewedSince(int64_t raw_elapsed) const;
  void CatchUp();
  void Record(uint64_t what, int64_t value);

  Recorder& recorder_;
  const NodeId node_;
  runtime::Random random_;
  const int64_t drift_ppb_max_;
  Duration wander_every_;
  std::function<void()> catch_up_;

  // How far the oscillator has turned, in billionths of a nanosecond, so that no change of its rate
  // rounds anything away: turned_ + elapsed * (1 + drift), elapsed counted in true time from
  // anchor_.
  MonotonicTime anchor_;
  __int128 turned_ = 0;
  int64_t drift_ppb_ = 0;
  MonotonicTime next_wander_;
  bool suspended_ = false;
  MonotonicTime suspended_since_;
  MonotonicTime awake_since_;
  Duration suspended_for_{};

  // realtime = realtime_ + elapsed * (1 + frequency) + slew, elapsed counted in raw from
  // realtime_raw_.
  int64_t realtime_raw_ = 0;
  int64_t realtime_ = 0;
  int64_t frequency_ppb_ = 0;
  int64_t slew_left_ = 0;
  int64_t slew_ppb_ = 0;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_CLOCK_MODEL_H_
