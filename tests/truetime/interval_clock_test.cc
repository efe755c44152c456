// The kernel as stories: a host whose clocks and readings the test moves by hand.
#include "truetime/kernel/interval_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace truetime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

constexpr ClockState kWaiting = ClockState::kWaiting;
constexpr ClockState kSynchronised = ClockState::kSynchronised;
constexpr ClockState kHoldover = ClockState::kHoldover;
constexpr ClockState kUnbounded = ClockState::kUnbounded;
constexpr ClockState kDisrupted = ClockState::kDisrupted;

// One host: true time and its three clocks run together unless the story says otherwise.
class Host {
 public:
  explicit Host(IntervalClockOptions options = {}, BaseClock base = BaseClock::kRaw)
      : base_(base), clock(options, base, Moment()) {}

  ClockMoment Moment() const { return {raw, realtime, {suspended, suspended}}; }
  BaseTime Base() const {
    return BaseTime(base_ == BaseClock::kRaw ? raw.nanoseconds() : realtime.nanoseconds());
  }

  void Pass(Duration length) {
    true_time = true_time + length;
    raw = raw + length;
    realtime = realtime + length;
  }
  void Suspend(Duration length) {
    true_time = true_time + length;
    realtime = realtime + length;
    suspended += length;
  }

  // A reading whose middle is `off` from true time.
  Interval Read(Duration epsilon, Duration off = 0ns) {
    Reading reading;
    reading.before = Base();
    reading.after = Base();
    reading.interval = Interval::Around(true_time + off, epsilon);
    reading.updated = updated;
    return Take(reading);
  }
  Interval Take(const Reading& reading) {
    clock.Observe(Moment());
    clock.Accept(reading);
    return Show();
  }
  Interval Miss() {
    clock.Observe(Moment());
    clock.Miss("chronyd is silent");
    return Show();
  }
  Interval Show() { return clock.Publish(Base()).At(Base()); }
  // Without a publication in between.
  Interval Now() const { return clock.published().At(Base()); }

  std::vector<ClockState> States() const {
    std::vector<ClockState> states;
    for (const ClockStateChange& change : clock.history()) states.push_back(change.state);
    return states;
  }
  const std::string& Why() const { return clock.history().back().why; }

  Timestamp true_time{1'700'000'000'000'000'000};
  MonotonicTime raw{5'000'000'000};
  Timestamp realtime = true_time;
  Duration suspended{0};
  std::optional<Timestamp> updated;

 private:
  const BaseClock base_;

 public:
  IntervalClock clock;
};

// --- TT-BOUND ---

TEST(TtBound, BeforeTheFirstReadingTheIntervalIsAllOfTime) {
  Host host;
  EXPECT_EQ(host.Miss(), Interval());
  EXPECT_THAT(host.States(), ElementsAre(kWaiting));
  EXPECT_EQ(host.Why(), "there was no reading yet");
}

TEST(TtBound, GrowsByTheDriftBetweenReadings) {
  Host host;
  EXPECT_NEAR(static_cast<double>(host.Read(1ms).epsilon().count()), 1e6, 2);
  host.Pass(10s);
  // 200 ppm of 10 s on each side.
  EXPECT_NEAR(static_cast<double>(host.Now().epsilon().count()), 3e6, 1000);
  EXPECT_EQ(host.Now().middle(), host.true_time);
}

TEST(TtBound, TheDriftIsASetting) {
  Host host({.drift_ppm = 50});
  host.Read(1ms);
  host.Pass(10s);
  EXPECT_NEAR(static_cast<double>(host.Now().epsilon().count()), 1.5e6, 1000);
}

TEST(TtBound, TheTimeAReadingTookIsAdded) {
  Host host;
  Reading reading;
  reading.before = host.Base();
  reading.interval = Interval::Around(host.true_time, 1ms);
  host.Pass(4ms);
  reading.after = host.Base();
  const Interval shown = host.Take(reading);
  // It was taken at the beginning or at the end or between: both must be inside.
  EXPECT_TRUE(shown.Contains(host.true_time));
  EXPECT_EQ(shown.earliest + 1ms, host.true_time - 4ms - 2ns);
  EXPECT_NEAR(static_cast<double>(shown.width().count()), 2e6 + 4e6, 1000);
}

TEST(TtBound, SteeringTheRealtimeClockChangesNothing) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  host.realtime = host.realtime + 80ms;  // As fast as chrony slews.
  const Interval now = host.Miss();
  EXPECT_EQ(now.middle(), host.true_time);
  EXPECT_THAT(host.States(), ElementsAre(kWaiting, kSynchronised));
}

TEST(TtIntersect, ANewReadingOnlyNarrowsWhatIsLeft) {
  Host host;
  host.Read(2ms, 1ms);  // [-1, 3] ms around true time.
  host.Pass(1ms);
  host.Read(2ms, -1ms);  // [-3, 1]
  host.Pass(10ms);       // What was held is passed.
  const Interval now = host.Now();
  EXPECT_NEAR(static_cast<double>((now.earliest - host.true_time).count()), -1e6, 3000);
  EXPECT_NEAR(static_cast<double>((now.latest - host.true_time).count()), 1e6, 3000);
}

TEST(TtIntersect, WithoutItTheNewestReadingIsTakenAlone) {
  Host host({.intersect_readings = false});
  host.Read(2ms, 1ms);
  host.Pass(1ms);
  host.Read(2ms, -1ms);
  host.Pass(10ms);
  EXPECT_NEAR(static_cast<double>(host.Now().epsilon().count()), 2e6, 3000);
}

// --- TT-MONOTONE ---

TEST(TtMonotone, LatestIsHeldUntilTheNarrowerIntervalHasPassedIt) {
  Host host;
  const Interval wide = host.Read(10ms);
  host.Pass(1ms);
  const Interval narrow = host.Read(1ms);
  EXPECT_EQ(narrow.latest, wide.latest + 1ms + 200ns);  // What had been promised by then.
  EXPECT_EQ(narrow.earliest, host.true_time - 1ms - 2ns);
  host.Pass(5ms);
  EXPECT_EQ(host.Now().latest, narrow.latest);
  EXPECT_TRUE(host.Now().Contains(host.true_time));
  host.Pass(5ms);
  EXPECT_GT(host.Now().latest, narrow.latest);
  EXPECT_NEAR(static_cast<double>(host.Now().epsilon().count()), 1e6, 4000);
}

TEST(TtMonotone, ABackwardStepHoldsEarliestAndStaysDisruptedUntilTimeHasCaughtUp) {
  Host host;
  host.Read(1ms, 5s);  // The source is 5 s ahead...
  host.Pass(1s);
  const Interval promised = host.Now();
  host.Read(1ms);  // ...and then right.
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_THAT(host.Why(), HasSubstr("disjoint"));
  for (int i = 0; i < 4; ++i) {
    host.Pass(1s);
    const Interval now = host.Read(1ms);
    EXPECT_EQ(now.earliest, promised.earliest) << i;
    EXPECT_EQ(host.clock.state(), kDisrupted) << i;
  }
  host.Pass(1100ms);
  const Interval now = host.Read(1ms);
  EXPECT_GT(now.earliest, promised.earliest);
  EXPECT_TRUE(now.Contains(host.true_time));
  // Latest had been promised far ahead, so for a while the interval is right but wide.
  EXPECT_EQ(host.clock.state(), kUnbounded);
  for (int i = 0; i < 4; ++i) {
    host.Pass(1s);
    EXPECT_TRUE(host.Read(1ms).Contains(host.true_time));
  }
  EXPECT_THAT(host.States(),
              ElementsAre(kWaiting, kSynchronised, kDisrupted, kUnbounded, kSynchronised));
}

TEST(TtMonotone, AForwardStepLetsEarliestGoOnlyWhenReadingsAgreeOnIt) {
  Host host;
  host.Read(1ms, -5s);
  host.Pass(1s);
  const Interval promised = host.Now();
  const Interval hull = host.Read(1ms);
  // The old and the new claim are both inside.
  EXPECT_GE(hull.earliest, promised.earliest);
  EXPECT_LT(hull.earliest, host.true_time - 4s);
  EXPECT_GT(hull.latest, host.true_time);
  host.Pass(1s);
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kDisrupted);
  host.Pass(1s);
  const Interval now = host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
  EXPECT_GT(now.earliest, host.true_time - 2ms);
}

TEST(TtMonotone, WithoutItBothEndsFollowTheReadings) {
  Host host({.recovery_readings = 1, .hold_floors = false});
  const Interval ahead = host.Read(1ms, 5s);
  host.Pass(1s);
  EXPECT_LT(host.Read(1ms).latest, ahead.earliest);
}

// --- TT-STATES ---

TEST(TtStates, ASilentSourceMeansHoldoverThenUnboundedAndBack) {
  Host host({.holdover_after = 3s, .holdover_max = 10s});
  host.Read(1ms);
  host.Pass(3s);
  host.Miss();
  EXPECT_EQ(host.clock.state(), kSynchronised);
  host.Pass(1s);
  host.Miss();
  EXPECT_EQ(host.clock.state(), kHoldover);
  EXPECT_EQ(host.Why(), "chronyd is silent");
  EXPECT_TRUE(TimeSafe(host.clock.state()));
  host.Pass(10s);
  EXPECT_TRUE(host.Miss().Contains(host.true_time));
  EXPECT_EQ(host.clock.state(), kUnbounded);
  EXPECT_THAT(host.Why(), HasSubstr("holdover is past its maximum of 10 s"));
  EXPECT_FALSE(TimeSafe(host.clock.state()));
  host.Read(1ms);
  EXPECT_THAT(host.States(),
              ElementsAre(kWaiting, kSynchronised, kHoldover, kUnbounded, kSynchronised));
}

TEST(TtStates, AnEpsilonPastItsMaximumIsUnbounded) {
  Host host({.epsilon_max = 10ms});
  host.Read(11ms);
  EXPECT_EQ(host.clock.state(), kUnbounded);
  EXPECT_THAT(host.Why(), HasSubstr("epsilon is past its maximum of 10 ms"));
  host.Pass(1s);
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

TEST(TtStates, TheMomentItBecomesUnsafeIsForetold) {
  Host host({.holdover_after = 3s, .holdover_max = 10s, .epsilon_max = 2ms});
  EXPECT_EQ(host.clock.unsafe_after(), MonotonicTime::Min());
  host.Read(1ms);
  // 1 ms of growth at 200 ppm takes 5 s.
  EXPECT_NEAR(static_cast<double>((host.clock.unsafe_after() - host.raw).count()), 5e9, 2e6);
  host.Pass(host.clock.unsafe_after() - host.raw + 20us);
  host.Miss();
  EXPECT_EQ(host.clock.state(), kUnbounded);
}

TEST(TtStates, ARealtimeStepDisruptsAndReadingsThatAgreeEndIt) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  host.realtime = host.realtime + 2s;
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_THAT(host.Why(), HasSubstr("realtime clock was stepped by 2 s"));
  host.Pass(1s);
  host.Read(1ms);
  host.Pass(1s);
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
  EXPECT_TRUE(host.Now().Contains(host.true_time));
  EXPECT_EQ(host.clock.counters().realtime_steps, 1);
  EXPECT_EQ(host.clock.counters().recoveries, 1);
}

TEST(TtStates, ASuspendedMachineIsDisruptedAndItsIntervalHoldsTheLostTime) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  host.Suspend(3600s);
  host.clock.Observe(host.Moment());
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_THAT(host.Why(), HasSubstr("was suspended for"));
  EXPECT_TRUE(host.Show().Contains(host.true_time));
  for (int i = 0; i < 3; ++i) {
    host.Read(1ms);
    host.Pass(1s);
  }
  EXPECT_EQ(host.clock.state(), kSynchronised);
  EXPECT_TRUE(host.Now().Contains(host.true_time));
  EXPECT_EQ(host.clock.counters().suspensions, 1);
}

TEST(TtStates, ASuspensionWhileTheSourceIsSilentStaysDisrupted) {
  Host host;
  host.Read(1ms);
  host.Suspend(60s);
  for (int i = 0; i < 5; ++i) {
    host.Pass(1s);
    EXPECT_TRUE(host.Miss().Contains(host.true_time));
    EXPECT_EQ(host.clock.state(), kDisrupted);
  }
}

// No slewing hides it: a wide reading that overlaps what was believed would otherwise leave the
// bounds behind true time.
TEST(TtStates, ASuspensionIsSeenHoweverShortItIs) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  host.Suspend(3ms);
  EXPECT_TRUE(host.Read(50ms).Contains(host.true_time));
  EXPECT_EQ(host.clock.counters().suspensions, 1);
  EXPECT_EQ(host.clock.state(), kDisrupted);
}

TEST(TtStates, AReadingWithASuspensionInItsMidstDoesNotCount) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  Reading reading;
  reading.before = host.Base();
  reading.interval = Interval::Around(host.true_time, 1ms);
  host.Pass(1ms);
  host.Suspend(1s);
  host.Pass(1ms);
  reading.after = host.Base();
  EXPECT_TRUE(host.Take(reading).Contains(host.true_time));
  EXPECT_EQ(host.clock.state(), kDisrupted);
}

TEST(TtStates, ReadingsWithoutNewsFromTheReferenceDoNotEndADisruption) {
  Host host;
  host.updated = Timestamp(1);
  host.Read(1ms);
  host.Pass(1s);
  host.realtime = host.realtime + 2s;  // Somebody sets the clock, and chronyd has not noticed.
  for (int i = 0; i < 10; ++i) {
    host.Pass(1s);
    host.Read(1ms, 2s);
    EXPECT_EQ(host.clock.state(), kDisrupted);
  }
  host.updated = Timestamp(2);  // Now it has. What was promised meanwhile is passed after 2 s.
  for (int i = 0; i < 5; ++i) {
    host.Pass(1s);
    host.Read(1ms);
  }
  EXPECT_EQ(host.clock.state(), kSynchronised);
  EXPECT_TRUE(host.Now().Contains(host.true_time));
}

TEST(TtStates, ASourceThatFlapsNeverRecovers) {
  Host host;
  host.Read(1ms);
  for (int i = 0; i < 20; ++i) {
    host.Pass(1s);
    const Interval now = host.Read(1ms, i % 2 == 0 ? 5s : 0s);
    EXPECT_EQ(host.clock.state(), kDisrupted);
    EXPECT_TRUE(now.Contains(host.true_time)) << i;
  }
}

TEST(TtStates, OutsideTheMajorityIsDisrupted) {
  Host host;
  host.Read(1ms);
  host.clock.SetOutsideMajority("three nodes say otherwise");
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_EQ(host.Why(), "three nodes say otherwise");
  host.clock.SetOutsideMajority(std::nullopt);
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

TEST(TtStates, TheHistoryIsBounded) {
  Host host;
  host.Read(1ms);
  for (size_t i = 0; i < IntervalClock::kHistoryMax; ++i) {
    host.clock.SetOutsideMajority("outside");
    host.clock.SetOutsideMajority(std::nullopt);
  }
  EXPECT_EQ(host.clock.history().size(), IntervalClock::kHistoryMax);
  EXPECT_EQ(host.clock.history().back().state, kSynchronised);
  EXPECT_EQ(host.clock.states_entered(), 2 + 2 * static_cast<int64_t>(IntervalClock::kHistoryMax));
}

// --- TT-INJECT ---

TEST(TtInject, WidensToAtLeastTheGivenEpsilon) {
  Host host;
  host.Read(1ms);
  host.Pass(1s);
  host.clock.Inject({.epsilon = 8ms});
  host.Show();
  host.Pass(8ms);  // What was promised is passed.
  EXPECT_EQ(host.Now(), Interval::Around(host.true_time, 8ms));
  host.Pass(100s);  // 21 ms by itself: as it is.
  EXPECT_NEAR(static_cast<double>(host.Now().epsilon().count()), 21.2e6, 1e5);
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

TEST(TtInject, WideningIsNoReasonForUnbounded) {
  Host host({.epsilon_max = 10ms});
  host.Read(1ms);
  host.clock.Inject({.epsilon = 1s});
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

TEST(TtInject, AnOffsetMovesTheIntervalAndTheStateKnowsNothing) {
  Host host;
  host.Read(1ms);
  host.clock.Inject({.offset = 50ms});
  EXPECT_EQ(host.Show().middle(), host.true_time + 50ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
  host.Pass(1s);
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

TEST(TtInject, TakingAnOffsetBackDisruptsUntilTimeHasCaughtUp) {
  Host host;
  host.Read(1ms);
  host.clock.Inject({.offset = 50ms});
  const Interval ahead = host.Show();
  host.clock.Inject({});
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_THAT(host.Why(), HasSubstr("promised is ahead"));
  EXPECT_EQ(host.Show().earliest, ahead.earliest);
  host.Pass(51ms);
  host.Read(1ms);
  EXPECT_EQ(host.clock.state(), kSynchronised);
}

// --- A base clock that is the truth by declaration ---

TEST(RealtimeBase, DoesNotGrowAndSurvivesAStepBack) {
  Host host({}, BaseClock::kRealtime);
  host.Read(0ns);
  host.Pass(1000s);
  EXPECT_EQ(host.Now().width(), 0ns);
  host.Read(0ns);
  host.true_time = host.realtime =
      host.realtime + -3s;  // The host's clock is the truth, and set back.
  const Interval before = host.Now();
  host.Read(0ns);
  EXPECT_EQ(host.clock.state(), kDisrupted);
  EXPECT_GE(host.Now().earliest, before.earliest);
  for (int i = 0; i < 4; ++i) {
    host.Pass(1s);
    host.Read(0ns);
  }
  EXPECT_EQ(host.clock.state(), kSynchronised);
  EXPECT_EQ(host.Now().width(), 0ns);
}

}  // namespace
}  // namespace truetime
