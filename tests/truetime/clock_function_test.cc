#include "truetime/kernel/clock_function.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace truetime {
namespace {

using namespace std::chrono_literals;

TEST(Drift, IsRoundedUpAndHoldsTheClocksResolution) {
  EXPECT_EQ(Drift::None().Over(1s), 0ns);
  EXPECT_EQ(Drift::FromPpm(200).Over(0ns), 2ns);
  EXPECT_EQ(Drift::FromPpm(200).Over(1s).count(), 200'042);
  EXPECT_EQ(Drift::FromPpm(200).Over(-1s).count(), 200'042);
  // A century does not overflow.
  const Duration century = 3'155'760'000s;
  EXPECT_NEAR(static_cast<double>(Drift::FromPpm(200).Over(century).count()), 6.3e14, 2e12);
}

TEST(Drift, KnowsWhenAGrowthIsReached) {
  const Drift drift = Drift::FromPpm(200);
  const Duration reached = drift.Reaches(1ms);
  EXPECT_LE(drift.Over(reached), 1ms);
  EXPECT_GT(drift.Over(reached + 10us), 1ms);
  EXPECT_EQ(drift.Reaches(0ns), 0ns);
  EXPECT_EQ(drift.Reaches(-1ns), 0ns);
  EXPECT_EQ(Drift::None().Reaches(1ns), Duration::max());
  EXPECT_EQ(drift.Reaches(Duration::max()), Duration::max());
}

ClockFunction RandomFunction(runtime::Random& random) {
  ClockFunction function;
  function.known = true;
  function.drift = Drift::FromPpm(static_cast<double>(random.Uniform(0, 300'000)));
  const BaseTime anchor(1000);
  const Timestamp earliest(random.Uniform(5000, 6000));
  function.bounds = {{anchor, earliest}, {BaseTime(990), earliest + random.Uniform(10ns, 60ns)}};
  function.epsilon_min = random.Uniform(0ns, 60ns);
  function.offset = random.Uniform(-100ns, 100ns);
  return function;
}

TEST(ClockFunction, NeitherEndFallsFromOneNanosecondToTheNext) {
  runtime::Random random(3);
  for (int round = 0; round < 2000; ++round) {
    ClockFunction function = RandomFunction(random);
    Interval before = function.At(BaseTime(1000));
    for (int64_t base = 1001; base < 1400; ++base) {
      if (random.Chance(0.02)) {
        ClockFunction next = RandomFunction(random);
        next.HoldFloors(function, BaseTime(base));
        function = next;
      }
      const Interval now = function.At(BaseTime(base));
      ASSERT_TRUE(now.valid());
      ASSERT_GE(now.earliest, before.earliest);
      ASSERT_GE(now.latest, before.latest);
      before = now;
    }
  }
}

TEST(ClockFunction, ForetellsWhenAMomentIsPast) {
  runtime::Random random(4);
  for (int round = 0; round < 2000; ++round) {
    ClockFunction function = RandomFunction(random);
    function.drift = Drift::FromPpm(200);
    function.earliest_floor = Timestamp(random.Uniform(4000, 6500));
    const Timestamp time(random.Uniform(5000, 8000));
    const BaseTime now(1500);
    const Duration until = function.UntilPast(time, now);
    if (function.At(now).earliest > time) {
      ASSERT_EQ(until, 0ns);
      continue;
    }
    ASSERT_GT(function.At(now + until).earliest, time);
    ASSERT_LE(function.At(now + (until - 5ns)).earliest, time);  // And not much too late.
  }
}

TEST(ClockFunction, WhileUnknownOrDisruptedNothingIsForetold) {
  ClockFunction function;
  EXPECT_EQ(function.UntilPast(Timestamp::Min(), BaseTime(1)), Duration::max());
  function.known = true;
  function.disrupted = true;
  EXPECT_EQ(function.UntilPast(Timestamp::Min(), BaseTime(1)), Duration::max());
}

}  // namespace
}  // namespace truetime
