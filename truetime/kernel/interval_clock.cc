#include "truetime/kernel/interval_clock.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/format.h"

namespace truetime {

namespace {

// How much longer `other` ran than `raw` between two moments.
template <typename Tag>
Duration Excess(runtime::TimePoint<Tag> from, runtime::TimePoint<Tag> to, Duration raw) {
  return (to - from) - raw;
}

Duration Magnitude(Duration length) { return length < Duration(0) ? -length : length; }

// TT-BOUND, anchored pessimistically: the reading was taken somewhere between `before` and `after`,
// so the lower bound counts only from the end and the upper one from the beginning. That adds the
// time the reading took to the width.
Bounds BoundsOf(const Reading& reading) {
  return {{reading.after, reading.interval.earliest}, {reading.before, reading.interval.latest}};
}

// The gap between two disjoint intervals; positive if `b` is the later one.
Duration Apart(Interval a, Interval b) {
  return b.earliest > a.latest ? b.earliest - a.latest : b.latest - a.earliest;
}

}  // namespace

IntervalClock::IntervalClock(IntervalClockOptions options, BaseClock base, ClockMoment start)
    : options_(options),
      base_(base),
      drift_(base == BaseClock::kRealtime || options.drift_ppm <= 0
                 ? Drift::None()
                 : Drift::FromPpm(options.drift_ppm)),
      now_(start),
      miss_why_("there was no reading yet") {
  CHECK_GT(options_.recovery_readings, 0);
  EnterState(ClockState::kWaiting, miss_why_);
}

BaseTime IntervalClock::Base() const {
  return BaseTime(base_ == BaseClock::kRaw ? now_.raw.nanoseconds() : now_.realtime.nanoseconds());
}

void IntervalClock::Observe(ClockMoment now) {
  const Duration raw = now.raw - now_.raw;
  // What steering can explain, and what is only the time between two clock reads.
  const Duration slack = Drift::FromPpm(options_.slew_max_ppm).Over(raw) + options_.step_min;
  const Duration stepped = Excess(now_.realtime, now.realtime, raw);
  const bool suspended = now.suspended.at_least > now_.suspended.at_most;
  const Duration asleep = now.suspended.at_most - now_.suspended.at_least;
  if (!suspended) {
    now.suspended.at_least = std::max(now.suspended.at_least, now_.suspended.at_least);
    now.suspended.at_most = std::min(now.suspended.at_most, now_.suspended.at_most);
  }
  now_ = now;
  if (suspended) {
    ++counters_.suspensions;
    awake_since_ = now.raw;
    // The raw clock missed that much of true time.
    if (bounds_.has_value() && base_ == BaseClock::kRaw) {
      bounds_->upper.value = bounds_->upper.value + asleep;
    }
    Disrupt(absl::StrCat("the machine was suspended for ", runtime::FormatDuration(asleep)));
  } else if (Magnitude(stepped) > slack) {
    ++counters_.realtime_steps;
    Disrupt(absl::StrCat("the realtime clock was stepped by ", runtime::FormatDuration(stepped)));
  }
  Evaluate();
}

void IntervalClock::Accept(const Reading& reading) {
  CHECK(reading.interval.valid() && reading.before <= reading.after);
  if (base_ == BaseClock::kRaw && reading.before.nanoseconds() < awake_since_.nanoseconds()) {
    return Miss("the machine was suspended while its time source was asked");
  }
  epsilon_min_ = reading.epsilon_min;
  last_reading_ = now_.raw;
  miss_why_.clear();
  const Bounds fresh = BoundsOf(reading);
  const BaseTime base = reading.after;
  if (!bounds_.has_value()) {
    bounds_ = fresh;
  } else if (recovering_) {
    bounds_ = Bounds::Wider(*bounds_, fresh, base, drift_);
    Recover(reading, fresh);
  } else if (Intersect(bounds_->At(base, drift_), fresh.At(base, drift_)).has_value()) {
    bounds_ = options_.intersect_readings ? Bounds::Narrower(*bounds_, fresh, base, drift_) : fresh;
  } else {
    ++counters_.disjoint_readings;
    Disrupt(absl::StrCat(
        "a reading is disjoint from those before it, by ",
        runtime::FormatDuration(Apart(bounds_->At(base, drift_), fresh.At(base, drift_)))));
    bounds_ = Bounds::Wider(*bounds_, fresh, base, drift_);
    Recover(reading, fresh);
  }
  updated_ = reading.updated;
  Evaluate();
}

void IntervalClock::Miss(std::string why) {
  miss_why_ = std::move(why);
  Evaluate();
}

void IntervalClock::Inject(Injection injection) {
  injection_ = injection;
  Evaluate();
}

void IntervalClock::SetOutsideMajority(std::optional<std::string> why) {
  outside_majority_ = std::move(why);
  Evaluate();
}

ClockFunction IntervalClock::Publish(BaseTime base) {
  ClockFunction next = Believed();
  if (options_.hold_floors) next.HoldFloors(published_, base);
  published_ = next;
  return published_;
}

void IntervalClock::Disrupt(std::string why) {
  // Before the first reading there is nothing to doubt.
  if (!bounds_.has_value()) return;
  // The readings before this are no witnesses for what comes after it.
  recovering_ = true;
  disrupted_why_ = std::move(why);
  candidate_.reset();
  candidate_readings_ = 0;
  updated_before_ = updated_;
}

void IntervalClock::Recover(const Reading& reading, const Bounds& bounds) {
  // A source that has heard nothing since may be as wrong as it was, and agree with itself.
  if (reading.updated.has_value() && reading.updated == updated_before_) return;
  const BaseTime base = reading.after;
  const bool agrees = candidate_.has_value() &&
                      Intersect(candidate_->At(base, drift_), bounds.At(base, drift_)).has_value();
  candidate_ = agrees ? Bounds::Narrower(*candidate_, bounds, base, drift_) : bounds;
  candidate_readings_ = agrees ? candidate_readings_ + 1 : 1;
  if (candidate_readings_ < options_.recovery_readings) return;
  bounds_ = candidate_;
  recovering_ = false;
  ++counters_.recoveries;
}

ClockFunction IntervalClock::Believed() const {
  ClockFunction function;
  if (!bounds_.has_value()) return function;
  function.known = true;
  function.disrupted = state() == ClockState::kDisrupted;
  function.bounds = *bounds_;
  function.drift = drift_;
  function.offset = injection_.offset;
  function.epsilon_min = std::max(epsilon_min_, injection_.epsilon.value_or(Duration(0)));
  return function;
}

Duration IntervalClock::Epsilon() const {
  ClockFunction function = Believed();
  function.epsilon_min = Duration(0);
  if (options_.hold_floors) function.latest_floor = published_.latest_floor;
  return function.At(Base()).epsilon();
}

Duration IntervalClock::PromiseAhead() const {
  if (!options_.hold_floors || !published_.known || !bounds_.has_value()) return Duration(0);
  // The widening that was asked for is no doubt about the time: compare without it.
  return published_.At(Base()).earliest - Believed().Believed(Base()).earliest;
}

void IntervalClock::Evaluate() {
  if (!bounds_.has_value()) return EnterState(ClockState::kWaiting, miss_why_);
  if (outside_majority_.has_value()) {
    return EnterState(ClockState::kDisrupted, *outside_majority_);
  }
  if (recovering_) return EnterState(ClockState::kDisrupted, disrupted_why_);
  if (const Duration ahead = PromiseAhead(); ahead > Duration(0)) {
    return EnterState(ClockState::kDisrupted,
                      absl::StrCat("what was promised is ahead of what is now believed, by ",
                                   runtime::FormatDuration(ahead)));
  }
  const Duration silent = now_.raw - *last_reading_;
  if (const Duration epsilon = Epsilon(); epsilon > options_.epsilon_max) {
    return EnterState(ClockState::kUnbounded,
                      absl::StrCat("epsilon is past its maximum of ",
                                   runtime::FormatDuration(options_.epsilon_max)));
  }
  if (silent > options_.holdover_after + options_.holdover_max) {
    return EnterState(ClockState::kUnbounded,
                      absl::StrCat("holdover is past its maximum of ",
                                   runtime::FormatDuration(options_.holdover_max)));
  }
  if (silent > options_.holdover_after) {
    return EnterState(ClockState::kHoldover,
                      miss_why_.empty() ? "the source was not asked" : miss_why_);
  }
  EnterState(ClockState::kSynchronised, "readings come in and agree");
}

void IntervalClock::EnterState(ClockState state, std::string why) {
  // One entry per state; a further disruption during a disruption only prolongs it.
  if (!history_.empty() && history_.back().state == state) return;
  ++states_entered_;
  history_.push_back({state, now_.raw, now_.realtime, std::move(why)});
  if (history_.size() > kHistoryMax) history_.pop_front();
}

MonotonicTime IntervalClock::unsafe_after() const {
  if (!TimeSafe(state())) return MonotonicTime::Min();
  const MonotonicTime silent = *last_reading_ + options_.holdover_after + options_.holdover_max;
  const Duration room = options_.epsilon_max - bounds_->At(Base(), drift_).epsilon();
  return std::min(silent, now_.raw + drift_.Reaches(room));
}

}  // namespace truetime
