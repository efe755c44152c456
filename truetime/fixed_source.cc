#include "truetime/fixed_source.h"

#include "runtime/check.h"

namespace truetime {

FixedSource::FixedSource(runtime::World* world, Duration epsilon)
    : world_(world), epsilon_(epsilon.count()) {
  CHECK_GE(epsilon.count(), 0);
}

void FixedSource::SetEpsilon(Duration epsilon) {
  CHECK_GE(epsilon.count(), 0);
  epsilon_.store(epsilon.count(), std::memory_order_relaxed);
}

runtime::Task<absl::StatusOr<Reading>> FixedSource::Read() {
  // The base clock is the truth by declaration: a reading of no width, shown with epsilon around.
  const Timestamp now = world_->clocks().Realtime();
  const BaseTime base(now.nanoseconds());
  Reading reading;
  reading.before = base;
  reading.after = base;
  reading.interval = {now, now};
  reading.epsilon_min = epsilon();
  reading.detail.reference = "the host's clock";
  co_return reading;
}

}  // namespace truetime
