// IntervalClock: readings in, an interval of true time out. The kernel of TrueTime.
//
// Place:       decides, does no input or output and reads no clock. TrueTime (truetime.h) polls the
//              source, tells this class what it saw, and publishes the function it gives.
// Time:        true time runs within `drift` of the base clock; each reading holds true time at the
//              moment it was taken. Where that is false, TT-STATES: the state says so as soon as
//              the contradiction is visible, and the interval becomes the hull of all that was
//              claimed, which holds true time if any one claim was right.
// Invariants:  (1) TT-BOUND: between readings the interval grows from its anchor by the drift, and
// a
//                  new reading only narrows what the old ones left.
//              (2) TT-MONOTONE: neither end of what was published ever goes back. `latest` is held
//                  until the bounds pass it: wide, but true. `earliest` cannot be held truly, so
//                  while what was promised is ahead of what is now believed the state is
//                  `disrupted`, and time itself heals that.
//              (3) `recovering_` implies a state of kDisrupted.
// Recovery:    from a disruption when `recovery_readings` in a row agree with each other, rest on
//              what the source has learnt since, and (2) holds. The readings before are then
//              forgotten.
// Concurrency: one thread.
#ifndef TRUETIME_KERNEL_INTERVAL_CLOCK_H_
#define TRUETIME_KERNEL_INTERVAL_CLOCK_H_

#include <deque>
#include <optional>
#include <string>

#include "truetime/clock_state.h"
#include "truetime/kernel/clock_function.h"
#include "truetime/source.h"

namespace truetime {

struct IntervalClockOptions {
  // The worst rate error of the raw oscillator (TT-BOUND).
  double drift_ppm = 200;
  // Without a reading for so long: holdover.
  Duration holdover_after = Duration(3'000'000'000);
  // In holdover for so long, or an epsilon so large: unbounded.
  Duration holdover_max = Duration(600'000'000'000);
  Duration epsilon_max = Duration(250'000'000);
  // So many readings in a row must agree before a disruption is over.
  int recovery_readings = 3;
  // How fast the steered clocks may run against the raw one without it being a step: the kernel
  // allows 10 % tick adjustment and 500 ppm of frequency.
  double slew_max_ppm = 100'500;
  // Reading two clocks takes a moment, in which the thread may be put aside.
  Duration step_min = Duration(5'000'000);

  // Rules switched off for experiments (World::experiments).
  bool hold_floors = true;         // TT-MONOTONE
  bool intersect_readings = true;  // TT-INTERSECT: the newest reading is taken alone.
};

// The host's clocks, read one after the other.
struct ClockMoment {
  MonotonicTime raw;
  Timestamp realtime;
  runtime::Suspensions suspended;
};

// What an experiment asked for (TT-INJECT).
struct Injection {
  // The interval is at least so wide on both sides.
  std::optional<Duration> epsilon = std::nullopt;
  // Moves the interval: within what it holds this is harmless, beyond it is a lie.
  Duration offset{0};
};

// What happened, for the caller to count.
struct IntervalClockCounters {
  int64_t disjoint_readings = 0;
  int64_t realtime_steps = 0;
  int64_t suspensions = 0;
  int64_t recoveries = 0;
};

class IntervalClock {
 public:
  IntervalClock(IntervalClockOptions options, BaseClock base, ClockMoment start);

  // The clocks at some moment, before and after each reading: finds steps and suspensions. Every
  // other call comes after an Observe() of its moment.
  void Observe(ClockMoment now);

  // A reading, the last thing that happened before the observed moment.
  void Accept(const Reading& reading);

  // There was no reading, for a reason; time passes.
  void Miss(std::string why);

  void Inject(Injection injection);

  // A majority of nodes has a common point outside this node's interval, for the given reason; or
  // no longer has.
  void SetOutsideMajority(std::optional<std::string> why);

  // The function that holds from now on, as of `base`: at or after every moment at which the
  // function before it was used. Cheap enough for a critical section.
  ClockFunction Publish(BaseTime base);

  ClockState state() const { return history_.back().state; }
  // The last changes, oldest first, at most kHistoryMax; the back is the current state.
  const std::deque<ClockStateChange>& history() const { return history_; }
  // How many entries the history ever had.
  int64_t states_entered() const { return states_entered_; }
  const ClockFunction& published() const { return published_; }
  const IntervalClockCounters& counters() const { return counters_; }
  // The suspensions that the function in force knows of.
  Duration suspended_at_most() const { return now_.suspended.at_most; }

  // The raw moment at which the state becomes unsafe if nothing more is heard; Min() if it is.
  MonotonicTime unsafe_after() const;

  static constexpr size_t kHistoryMax = 64;

 private:
  // The base clock at the last observed moment.
  BaseTime Base() const;
  void Disrupt(std::string why);
  // Takes a reading, with its bounds, as a witness for the time after the disruption.
  void Recover(const Reading& reading, const Bounds& bounds);
  // Makes the state what the facts say.
  void Evaluate();
  void EnterState(ClockState state, std::string why);
  // The next function, without floors.
  ClockFunction Believed() const;
  // Half the published width, floors included, what was injected left out.
  Duration Epsilon() const;
  // How far what was promised is ahead of what is believed; zero or less: not at all.
  Duration PromiseAhead() const;

  const IntervalClockOptions options_;
  const BaseClock base_;
  const Drift drift_;

  // The last observed moment, with the suspensions as narrowly as all since the last one tell.
  ClockMoment now_;
  // A reading begun before this had a suspension in its midst.
  MonotonicTime awake_since_ = MonotonicTime::Min();
  // The moment of the last good reading. Invariant: set iff bounds_ is.
  std::optional<MonotonicTime> last_reading_;
  // Hold true time, unless the state is kDisrupted.
  std::optional<Bounds> bounds_;
  Duration epsilon_min_{0};  // Of the last reading.
  Injection injection_;

  // After a disruption: what the readings since have in common, and how many they are.
  bool recovering_ = false;
  std::string disrupted_why_;
  std::optional<Bounds> candidate_;
  int candidate_readings_ = 0;
  // Reading::updated of the last reading, and of the last one before the disruption.
  std::optional<Timestamp> updated_;
  std::optional<Timestamp> updated_before_;

  std::optional<std::string> outside_majority_;
  std::string miss_why_;

  ClockFunction published_;
  std::deque<ClockStateChange> history_;
  int64_t states_entered_ = 0;
  IntervalClockCounters counters_;
};

}  // namespace truetime

#endif  // TRUETIME_KERNEL_INTERVAL_CLOCK_H_
