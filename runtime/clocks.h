// Clocks: what the machine's clocks say. None of them is the true time; truetime/ makes bounds of
// them.
#ifndef RUNTIME_CLOCKS_H_
#define RUNTIME_CLOCKS_H_

#include "runtime/time.h"

namespace runtime {

// Readings of the host, in nanoseconds. May be called from any thread.
class Clocks {
 public:
  virtual ~Clocks() = default;

  // The undisciplined oscillator (CLOCK_MONOTONIC_RAW): never slewed, never stepped, stands still
  // while the machine is suspended. Its rate is within the oscillator's drift of true time.
  virtual MonotonicTime Raw() = 0;

  // The system's idea of the time (CLOCK_REALTIME): slewed and stepped at will by others.
  virtual Timestamp Realtime() = 0;

  // Like Raw, but running on while the machine is suspended (CLOCK_BOOTTIME).
  virtual MonotonicTime Boottime() = 0;
};

}  // namespace runtime

#endif  // RUNTIME_CLOCKS_H_
