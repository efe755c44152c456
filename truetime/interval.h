// Interval: a piece of true time, both ends included. What TrueTime gives instead of a point.
#ifndef TRUETIME_INTERVAL_H_
#define TRUETIME_INTERVAL_H_

#include <algorithm>
#include <optional>
#include <ostream>

#include "runtime/time.h"

namespace truetime {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::Timestamp;

struct Interval {
  Timestamp earliest = Timestamp::Min();
  Timestamp latest = Timestamp::Max();

  static constexpr Interval Around(Timestamp middle, Duration epsilon) {
    return {middle - epsilon, middle + epsilon};
  }

  // Invariant of every interval that leaves this folder.
  constexpr bool valid() const { return earliest <= latest; }
  constexpr bool Contains(Timestamp time) const { return earliest <= time && time <= latest; }
  constexpr Duration width() const { return latest - earliest; }
  // Half the width, rounded up.
  constexpr Duration epsilon() const { return width() / 2 + width() % 2; }
  constexpr Timestamp middle() const { return earliest + width() / 2; }

  friend constexpr bool operator==(Interval, Interval) = default;
  friend std::ostream& operator<<(std::ostream& out, Interval interval) {
    return out << '[' << interval.earliest << ", " << interval.latest << ']';
  }
};

// What both contain; nothing if they are disjoint.
constexpr std::optional<Interval> Intersect(Interval a, Interval b) {
  const Interval both = {std::max(a.earliest, b.earliest), std::min(a.latest, b.latest)};
  if (!both.valid()) return std::nullopt;
  return both;
}

// The smallest interval that contains both.
constexpr Interval Hull(Interval a, Interval b) {
  return {std::min(a.earliest, b.earliest), std::max(a.latest, b.latest)};
}

}  // namespace truetime

#endif  // TRUETIME_INTERVAL_H_
