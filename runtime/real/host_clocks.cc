#include "runtime/real/host_clocks.h"

#include <time.h>

namespace real {
namespace {

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

runtime::MonotonicTime HostClocks::Boottime() {
  return runtime::MonotonicTime(Nanoseconds(CLOCK_BOOTTIME));
}

}  // namespace real
