// Random walks of the kernel beside a model that knows true time. After every step: TT-CONTAINS as
// long as every bound was true, and TT-MONOTONE always.
#include <gtest/gtest.h>

#include "runtime/random.h"
#include "truetime/kernel/interval_clock.h"

namespace truetime {
namespace {

using runtime::Random;
using namespace std::chrono_literals;

#ifdef ISOCHRON_SANITIZED
constexpr int kSeeds = 500;
#else
constexpr int kSeeds = 4000;
#endif
constexpr int kSteps = 300;

class Walk {
 public:
  Walk(uint64_t seed, bool lies)
      : random_(seed), lies_(lies), clock_(Options(), BaseClock::kRaw, Moment()) {}

  void Run() {
    for (int step = 0; step < kSteps; ++step) {
      Step();
      Check(step);
      if (testing::Test::HasFatalFailure()) return;
    }
    // In the end the source is right and the interval as well.
    for (int i = 0; i < 40; ++i) {
      Pass(1s);
      Poll(/*lie=*/0ns);
    }
    EXPECT_EQ(clock_.state(), ClockState::kSynchronised);
    EXPECT_TRUE(Now().Contains(True()));
    EXPECT_LT(Now().epsilon(), 20ms);
  }

  const IntervalClock& clock() const { return clock_; }

 private:
  static IntervalClockOptions Options() { return {.recovery_readings = 2}; }

  // True time in nanoseconds with a fraction, so that rates need no rounding.
  Timestamp True() const { return Timestamp(static_cast<int64_t>(true_)); }
  ClockMoment Moment() const {
    return {MonotonicTime(raw_),
            Timestamp(static_cast<int64_t>(realtime_)),
            {suspended_, suspended_ + 100ns}};
  }
  Interval Now() const { return clock_.published().At(BaseTime(raw_)); }

  // The raw clock ticks `length`; true time and the steered clocks run at their own rates.
  void Pass(Duration length) {
    const long double ticks = length.count();
    raw_ += length.count();
    true_ += ticks * (1 + drift_ppm_ * 1e-6L);
    realtime_ += ticks * (1 + slew_ppm_ * 1e-6L);
  }

  void Step() {
    const int64_t kind = random_.Uniform(0, 99);
    if (kind < 50) {
      Pass(random_.Uniform(1ns, 2s));
    } else if (kind < 80) {
      const bool lie = lies_ && random_.Chance(0.1);
      Poll(lie ? random_.Uniform(-3s, 3s) : 0ns);
    } else if (kind < 85) {
      clock_.Observe(Moment());
      clock_.Miss("lost");
    } else if (kind < 92) {
      drift_ppm_ = static_cast<long double>(random_.Uniform(-200'000, 200'000)) / 1000;
      slew_ppm_ = static_cast<long double>(random_.Uniform(-100'000, 100'000));
    } else if (kind < 94) {
      realtime_ += static_cast<long double>(random_.Uniform(-10s, 10s).count());
    } else if (kind < 95) {
      const Duration slept = random_.Uniform(1us, 100s);
      const long double asleep = static_cast<long double>(slept.count());
      true_ += asleep;
      realtime_ += asleep;
      suspended_ += slept;
      clock_.Observe(Moment());  // Until here nobody could know.
    } else if (kind < 97) {
      clock_.Observe(Moment());
      clock_.Inject({.epsilon = random_.Uniform(0ns, 20ms)});
    } else {
      clock_.Observe(Moment());
      clock_.Inject({});
    }
    clock_.Publish(BaseTime(raw_));
  }

  void Poll(Duration lie) {
    Reading reading;
    clock_.Observe(Moment());
    reading.before = BaseTime(raw_);
    Pass(random_.Uniform(0ns, 2ms));
    // As wrong as its bound allows, quite often by all of it.
    const Duration bound = random_.Uniform(0ns, 5ms);
    const Duration error = random_.Chance(0.3) ? (random_.Chance(0.5) ? bound : -bound)
                                               : random_.Uniform(-bound, bound);
    reading.interval = Interval::Around(True() + error + lie, bound + 1ns);
    Pass(random_.Uniform(0ns, 2ms));
    reading.after = BaseTime(raw_);
    clock_.Observe(Moment());
    clock_.Accept(reading);
    clock_.Publish(BaseTime(raw_));
  }

  void Check(int step) {
    const Interval now = Now();
    ASSERT_TRUE(now.valid()) << now;
    if (seen_.has_value()) {
      ASSERT_GE(now.earliest, seen_->earliest) << "TT-MONOTONE, step " << step;
      ASSERT_GE(now.latest, seen_->latest) << "TT-MONOTONE, step " << step;
    }
    if (clock_.state() != ClockState::kWaiting) seen_ = now;
    if (!lies_) {
      ASSERT_TRUE(now.Contains(True())) << "TT-CONTAINS, step " << step << ": " << now << " lacks "
                                        << True() << " in state " << ClockStateName(clock_.state());
      ASSERT_EQ(clock_.counters().disjoint_readings, 0);
    }
  }

  Random random_;
  const bool lies_;
  long double true_ = 1.7e18L;
  int64_t raw_ = 1'000'000'000;
  long double realtime_ = 1.7e18L;
  Duration suspended_{0};
  long double drift_ppm_ = 0;
  long double slew_ppm_ = 0;
  IntervalClock clock_;
  std::optional<Interval> seen_;
};

TEST(IntervalClockWalk, ContainsTrueTimeAndNeverGoesBackWhileTheBoundsAreTrue) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Walk(seed, /*lies=*/false).Run();
    if (HasFailure()) return;
  }
}

TEST(IntervalClockWalk, NeverGoesBackAndRecoversWhenTheSourceLies) {
  int64_t disjoint = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Walk walk(seed, /*lies=*/true);
    walk.Run();
    disjoint += walk.clock().counters().disjoint_readings;
    if (HasFailure()) return;
  }
  EXPECT_GT(disjoint, kSeeds);  // The walk does reach what it is for.
}

}  // namespace
}  // namespace truetime
