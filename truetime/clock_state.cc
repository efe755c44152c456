#include "truetime/clock_state.h"

namespace truetime {

absl::string_view ClockStateName(ClockState state) {
  switch (state) {
    case ClockState::kWaiting:
      return "waiting";
    case ClockState::kSynchronised:
      return "synchronised";
    case ClockState::kHoldover:
      return "holdover";
    case ClockState::kUnbounded:
      return "unbounded";
    case ClockState::kDisrupted:
      return "disrupted";
  }
  return "unknown";
}

}  // namespace truetime
