// TimeSource: where TrueTime learns what time it is, and how sure that is.
//
// A source is asked again and again for a Reading; what lies between two readings is TrueTime's
// work (kernel/interval_clock.h). Sources: chrony_source.h, fixed_source.h, and the simulated one.
#ifndef TRUETIME_SOURCE_H_
#define TRUETIME_SOURCE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/clocks.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "truetime/interval.h"

namespace truetime {

// The clock that an interval is extrapolated on between two readings.
enum class BaseClock {
  // CLOCK_MONOTONIC_RAW: within the oscillator's drift of true time, so the interval grows.
  kRaw,
  // CLOCK_REALTIME: by declaration the truth itself (fixed_source.h), so the interval does not
  // grow.
  kRealtime,
};

// A moment on the base clock.
using BaseTime = runtime::TimePoint<struct BaseTimeTag>;

inline BaseTime ReadBase(runtime::Clocks& clocks, BaseClock base) {
  return BaseTime(base == BaseClock::kRaw ? clocks.Raw().nanoseconds()
                                          : clocks.Realtime().nanoseconds());
}

// What stands behind a reading, for people. Fields that a source does not know stay empty.
struct ReadingDetail {
  std::string reference;               // Whom the source follows: "192.0.2.7", "GPS".
  std::optional<int> stratum;          // Distance from a reference clock.
  std::optional<Duration> correction;  // What the host's clock still lacks; positive: it is slow.
  std::optional<Duration> root_dispersion;  // Error bound of the path to the reference...
  std::optional<Duration> root_delay;       // ...and its round trip.
  std::optional<Duration> reference_age;    // Since the source last heard from its reference.
  std::string leap_status;                  // "normal", "insert second", "delete second".
};

// True time was inside `interval` at some moment that the base clock cannot tell more closely than
// between `before` and `after` (TT-BOUND: read before asking and after the answer).
struct Reading {
  BaseTime before;
  BaseTime after;
  Interval interval;
  // The interval is shown at least so wide on both sides (TT-INJECT); zero: as it is.
  Duration epsilon_min{0};
  // When the source last heard from its own reference, by its own clock. Readings that rest on the
  // same update are no news: after a disruption they cannot vouch for each other. Unset: each
  // reading is news.
  std::optional<Timestamp> updated;
  ReadingDetail detail;
};

class TimeSource {
 public:
  virtual ~TimeSource() = default;

  // "chrony", "fixed", "simulated".
  virtual std::string name() const = 0;
  virtual BaseClock base() const = 0;

  // One reading. An error says in one sentence why there is none: the source is silent, or does not
  // know the time itself. Ends when its caller is cancelled. One at a time.
  virtual runtime::Task<absl::StatusOr<Reading>> Read() = 0;
};

}  // namespace truetime

#endif  // TRUETIME_SOURCE_H_
