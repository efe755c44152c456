// Moment: what time it is, as an event reaches a kernel.
#ifndef PAXOS_KERNEL_MOMENT_H_
#define PAXOS_KERNEL_MOMENT_H_

#include "runtime/time.h"
#include "truetime/interval.h"

namespace paxos {

using runtime::Duration;
using runtime::MonotonicTime;

struct Moment {
  truetime::Interval now;
  // Whether leases and timestamps may be given by this clock (TT-STATES).
  bool time_safe = true;
  // For time-outs, which no rule depends on.
  MonotonicTime monotonic;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_MOMENT_H_
