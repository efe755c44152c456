// FixedSource: the host's clock is declared to be right within a given epsilon.
//
// For experiments and for machines without chrony: all processes of one host agree exactly, the
// width is exactly 2 x epsilon and does not grow, since CLOCK_REALTIME itself is the base clock.
// Nothing is checked: across hosts it is as true as somebody keeps it. Epsilon may be zero, and may
// be changed at any time from any thread; the change shows with the next reading.
#ifndef TRUETIME_FIXED_SOURCE_H_
#define TRUETIME_FIXED_SOURCE_H_

#include <atomic>
#include <string>

#include "runtime/world.h"
#include "truetime/source.h"

namespace truetime {

class FixedSource final : public TimeSource {
 public:
  // `epsilon` >= 0. `world` outlives this.
  FixedSource(runtime::World* world, Duration epsilon);

  void SetEpsilon(Duration epsilon);
  Duration epsilon() const { return Duration(epsilon_.load(std::memory_order_relaxed)); }

  std::string name() const override { return "fixed"; }
  BaseClock base() const override { return BaseClock::kRealtime; }
  runtime::Task<absl::StatusOr<Reading>> Read() override;

 private:
  runtime::World* const world_;
  std::atomic<int64_t> epsilon_;
};

}  // namespace truetime

#endif  // TRUETIME_FIXED_SOURCE_H_
