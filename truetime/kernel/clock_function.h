// ClockFunction: the interval as a function of the base clock, between two publications.
//
// Two lines, the lower one running slow and the upper one fast by the worst drift of the base clock
// (TT-BOUND), and over them what was promised before (TT-MONOTONE) and what an experiment asked for
// (TT-INJECT). Plain numbers: the same function in every thread gives the same answer.
#ifndef TRUETIME_KERNEL_CLOCK_FUNCTION_H_
#define TRUETIME_KERNEL_CLOCK_FUNCTION_H_

#include <algorithm>
#include <cstdint>
#include <limits>

#include "truetime/interval.h"
#include "truetime/source.h"

namespace truetime {

// A rate error in units of 2^-32, so that a drift over any length is one multiplication.
class Drift {
 public:
  constexpr Drift() = default;
  // For an oscillator whose rate is within `ppm` of true time's, 0 <= ppm < 10^6. True time's rate
  // is then within ppm / (1 - ppm / 10^6) of the oscillator's: for 200 ppm that is 40 ns more in a
  // second.
  static constexpr Drift FromPpm(double ppm) {
    // Rounded up: a bound may be too wide, never too narrow.
    return Drift(static_cast<uint64_t>(ppm / (1 - ppm * 1e-6) * 4294.967296) + 1);
  }
  static constexpr Drift None() { return Drift(0); }
  static constexpr Drift FromRaw(uint64_t units) { return Drift(units); }

  // How far two clocks can come apart over `length`, rounded up. One nanosecond more for the
  // clocks' resolution: a length between two readings, each of which drops what is beyond the
  // nanosecond, may be that much too short.
  constexpr Duration Over(Duration length) const {
    if (units_ == 0) return Duration(0);
    const unsigned __int128 magnitude =
        length.count() < 0 ? -static_cast<__int128>(length.count()) : length.count();
    return Duration(static_cast<int64_t>((magnitude * units_) >> 32) + 2);
  }
  // How long it takes two clocks to come apart by `length`, rounded down.
  constexpr Duration Reaches(Duration length) const {
    if (length <= Duration(0)) return Duration(0);
    if (units_ == 0) return Duration::max();
    if (length <= Duration(2)) return Duration(0);
    const unsigned __int128 time =
        (static_cast<unsigned __int128>(length.count() - 2) << 32) / units_;
    constexpr unsigned __int128 kMax = std::numeric_limits<int64_t>::max();
    return Duration(static_cast<int64_t>(std::min(time, kMax)));
  }
  constexpr uint64_t units() const { return units_; }

 private:
  constexpr explicit Drift(uint64_t units) : units_(units) {}

  uint64_t units_ = 0;
};

// One bound of true time: at `anchor` it was `value`. A lower bound runs slow from there, an upper
// one fast. Bounds are chosen among, never computed anew at another anchor: each rounding would
// lose a nanosecond.
struct Bound {
  BaseTime anchor;
  Timestamp value;

  constexpr Timestamp Below(BaseTime base, Drift drift) const {
    const Duration elapsed = base - anchor;
    return value + (elapsed - drift.Over(elapsed));
  }
  constexpr Timestamp Above(BaseTime base, Drift drift) const {
    const Duration elapsed = base - anchor;
    return value + (elapsed + drift.Over(elapsed));
  }
};

// True time lies between the two.
struct Bounds {
  Bound lower;
  Bound upper;

  constexpr Interval At(BaseTime base, Drift drift) const {
    return {lower.Below(base, drift), upper.Above(base, drift)};
  }

  // The narrower, or the wider, of two bounds as of `base`. Their order does not change after that,
  // since all run at the same two rates.
  static constexpr Bounds Narrower(const Bounds& a, const Bounds& b, BaseTime base, Drift drift) {
    return {a.lower.Below(base, drift) >= b.lower.Below(base, drift) ? a.lower : b.lower,
            a.upper.Above(base, drift) <= b.upper.Above(base, drift) ? a.upper : b.upper};
  }
  static constexpr Bounds Wider(const Bounds& a, const Bounds& b, BaseTime base, Drift drift) {
    return {a.lower.Below(base, drift) <= b.lower.Below(base, drift) ? a.lower : b.lower,
            a.upper.Above(base, drift) >= b.upper.Above(base, drift) ? a.upper : b.upper};
  }
};

struct ClockFunction {
  // False before the first reading: the interval is all of time.
  bool known = false;
  // The state is kDisrupted: the bounds may be false, and waits for a moment to pass wait on.
  bool disrupted = false;
  Bounds bounds;
  Drift drift;
  // TT-INJECT: the bounds are moved by `offset` and kept at least `epsilon_min` from their middle.
  Duration offset{0};
  Duration epsilon_min{0};
  // TT-MONOTONE: what had been promised when this function took over.
  Timestamp earliest_floor = Timestamp::Min();
  Timestamp latest_floor = Timestamp::Min();

  // What the bounds say, moved by the injected offset, before widening and floors.
  constexpr Interval Believed(BaseTime base) const {
    const Interval interval = bounds.At(base, drift);
    return {interval.earliest + offset, interval.latest + offset};
  }

  // The interval. Neither end falls as `base` rises past the anchors: each line rises (the drift is
  // far below 1), so does their middle, the width grows by at most 2 in a step so that widening
  // ends without a jump, and a maximum of what rises does too.
  constexpr Interval At(BaseTime base) const {
    if (!known) return Interval();
    Interval interval = Believed(base);
    const Duration width = interval.width();
    if (width < 2 * epsilon_min) {
      const Timestamp middle = interval.earliest + width / 2;
      interval = {middle - epsilon_min, middle + epsilon_min};
    }
    return {std::max(interval.earliest, earliest_floor), std::max(interval.latest, latest_floor)};
  }

  // How long the base clock has to run from `base` until earliest is past `time`, if this function
  // stays in force. Zero if it is.
  constexpr Duration UntilPast(Timestamp time, BaseTime base) const {
    if (!known || disrupted) return Duration::max();
    if (At(base).earliest > time) return Duration(0);
    // Without the floors: below them earliest stands still, and then it goes on with the bounds.
    ClockFunction unheld = *this;
    unheld.earliest_floor = Timestamp::Min();
    const Duration missing = time - unheld.At(base).earliest;
    if (missing == Duration::max()) return missing;
    const Duration late = drift.Over(missing);
    // The bound runs slow, and for a large drift also while it makes up for that.
    return missing + late + drift.Over(late) + Duration(1);
  }

  // Takes over from `before` at `base`: from here on neither end is below what it gave up to there.
  constexpr void HoldFloors(const ClockFunction& before, BaseTime base) {
    if (!before.known) return;
    const Interval promised = before.At(base);
    earliest_floor = promised.earliest;
    latest_floor = promised.latest;
  }
};

}  // namespace truetime

#endif  // TRUETIME_KERNEL_CLOCK_FUNCTION_H_
