#include "runtime/real/host_clocks.h"

#include <time.h>

namespace real {
namespace {

// The thread may be put aside between two clocks; then they are read again.
constexpr int kTries = 3;
constexpr runtime::Duration kNarrow = std::chrono::microseconds(1);

int64_t Nanoseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

runtime::MonotonicTime HostClocks::Raw() {
  return runtime::MonotonicTime(Nanoseconds(CLOCK_MONOTONIC_RAW));
}

runtime::Timestamp HostClocks::Realtime() {
  return runtime::Timestamp(Nanoseconds(CLOCK_REALTIME));
}

runtime::Suspensions HostClocks::Suspended() {
  // The boot-time clock goes on during a suspension and the monotonic one does not; otherwise both
  // are steered alike.
  runtime::Suspensions narrowest;
  for (int i = 0; i < kTries; ++i) {
    const int64_t before = Nanoseconds(CLOCK_MONOTONIC);
    const int64_t boottime = Nanoseconds(CLOCK_BOOTTIME);
    const int64_t after = Nanoseconds(CLOCK_MONOTONIC);
    const runtime::Suspensions read = {runtime::Duration(boottime - after),
                                       runtime::Duration(boottime - before)};
    const runtime::Duration width = read.at_most - read.at_least;
    if (i == 0 || width < narrowest.at_most - narrowest.at_least) narrowest = read;
    if (width <= kNarrow) break;
  }
  return narrowest;
}

}  // namespace real
