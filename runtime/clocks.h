// Clocks: what the machine's clocks say. None of them is the true time; truetime/ makes bounds of
// them.
#ifndef RUNTIME_CLOCKS_H_
#define RUNTIME_CLOCKS_H_

#include "runtime/time.h"

namespace runtime {

// The length of all suspensions. It lies between the two, which are as far apart as it took to read
// the clocks it is made from, so a growth of `at_least` past an earlier `at_most` is a suspension
// for certain, however short.
struct Suspensions {
  Duration at_least{};
  Duration at_most{};
};

// Readings of the host, in nanoseconds. May be called from any thread.
class Clocks {
 public:
  virtual ~Clocks() = default;

  // The undisciplined oscillator (CLOCK_MONOTONIC_RAW): never slewed, never stepped, stands still
  // while the machine is suspended. Its rate is within the oscillator's drift of true time.
  virtual MonotonicTime Raw() = 0;

  // The system's idea of the time (CLOCK_REALTIME): slewed and stepped at will by others.
  virtual Timestamp Realtime() = 0;

  // How long the machine has been suspended since it booted: true time that Raw() has missed.
  virtual Suspensions Suspended() = 0;
};

}  // namespace runtime

#endif  // RUNTIME_CLOCKS_H_
