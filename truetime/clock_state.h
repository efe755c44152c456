// ClockState: how far a node may trust its own interval (TT-STATES).
//
//   waiting ----first reading----> synchronised <---> holdover ---> unbounded
//                                       ^  |                            |
//                                       |  v  (from any state)          |
//                                     disrupted                         +--good reading-->
//                                     synchronised
//
// No clock state ever ends the process, and each is left by itself when readings are good again.
#ifndef TRUETIME_CLOCK_STATE_H_
#define TRUETIME_CLOCK_STATE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "runtime/time.h"

namespace truetime {

enum class ClockState {
  // There was no reading yet. Time-unsafe: the interval is all of time.
  kWaiting,
  // Readings come in and agree.
  kSynchronised,
  // The source is silent or has lost its own sources: the interval grows at the drift rate.
  kHoldover,
  // The interval or the holdover is past its maximum. Time-unsafe.
  kUnbounded,
  // The bound itself was false: disjoint readings, a stepped clock, a suspended machine, or a
  // majority of nodes says so. Time-unsafe.
  kDisrupted,
};

// "waiting", "synchronised", "holdover", "unbounded", "disrupted".
absl::string_view ClockStateName(ClockState state);

// A time-unsafe node leads no group, votes for no lease, assigns no timestamp and refuses new
// commits.
constexpr bool TimeSafe(ClockState state) {
  return state == ClockState::kSynchronised || state == ClockState::kHoldover;
}

// One entry of the history.
struct ClockStateChange {
  ClockState state = ClockState::kWaiting;
  runtime::MonotonicTime since_raw;  // By the raw oscillator.
  runtime::Timestamp since;          // By the host's clock, for people.
  std::string why;                   // A sentence without its full stop.
};

}  // namespace truetime

#endif  // TRUETIME_CLOCK_STATE_H_
