// The clocks of a simulated machine and its time daemon: within their bounds, whatever happens.
#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/simulated/clock_model.h"
#include "runtime/simulated/recorder.h"
#include "runtime/simulated/time_daemon.h"

namespace simulated {
namespace {

constexpr Timestamp kEpoch(1'767'225'600'000'000'000);

// A machine of which only the clocks exist.
struct Machine {
  explicit Machine(uint64_t seed, ClockOptions clock_options = {},
                   TimeDaemonOptions daemon_options = {})
      : recorder(seed, kEpoch),
        clock(&recorder, NodeId(1), clock_options, seed),
        daemon(&recorder, NodeId(1), &clock, daemon_options, seed + 1) {}

  void Pass(Duration length) { recorder.AdvanceTo(recorder.now() + length); }
  // How far the daemon's estimate is from the truth, beyond the bound that it reports.
  Duration BeyondBound() {
    const absl::StatusOr<ReferenceReading> reading = daemon.Read();
    if (!reading.ok()) return Duration::min();
    const int64_t error = (reading->realtime + reading->correction).nanoseconds() -
                          recorder.true_time().nanoseconds();
    return Duration(std::abs(error)) - reading->root_dispersion - reading->root_delay / 2;
  }

  Recorder recorder;
  ClockModel clock;
  SimulatedTimeDaemon daemon;
};

TEST(ClockModelTest, RawStaysWithinItsDriftBoundOverEveryStretch) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Machine machine(seed, {.drift_ppm_max = 200, .wander_every = 3s});
    runtime::Random random(seed);
    const MonotonicTime first = machine.clock.Raw();
    const MonotonicTime start = machine.recorder.now();
    MonotonicTime before = first;
    for (int i = 0; i < 200; ++i) {
      const Duration length = random.Exponential(2s);
      machine.Pass(length);
      const MonotonicTime raw = machine.clock.Raw();
      const double drift = static_cast<double>(((raw - before) - length).count());
      // One nanosecond of rounding for each stretch of constant drift.
      ASSERT_LE(std::abs(drift), static_cast<double>(length.count()) * 200e-6 + 20) << seed;
      before = raw;
    }
    const Duration all = machine.recorder.now() - start;
    ASSERT_LE(std::abs(static_cast<double>(((before - first) - all).count())),
              static_cast<double>(all.count()) * 200e-6 + 1000);
  }
}

TEST(ClockModelTest, AScriptedDriftIsExact) {
  Machine machine(1);
  machine.Pass(7s);
  machine.clock.SetDrift(-150);
  const MonotonicTime before = machine.clock.Raw();
  machine.Pass(1000s);
  EXPECT_EQ(machine.clock.Raw() - before, 1000s - 150ms);
}

TEST(ClockModelTest, ReadingMoreOftenChangesNothing) {
  Machine seldom(5);
  Machine often(5);
  for (int i = 0; i < 1000; ++i) {
    often.Pass(100ms);
    often.clock.Raw();
    often.clock.Realtime();
  }
  seldom.Pass(100s);
  EXPECT_EQ(seldom.clock.Raw(), often.clock.Raw());
  // The slew is rounded once for each poll, not for each reading.
  EXPECT_EQ(seldom.clock.Realtime(), often.clock.Realtime());
}

TEST(ClockModelTest, RealtimeIsSteppedAndSlewedAndRawIsNot) {
  Machine machine(2);
  machine.daemon.SetSilent(true);
  machine.clock.SetDrift(0);
  machine.clock.SetFrequency(0);
  machine.clock.Slew(0s, 0);
  const MonotonicTime raw = machine.clock.Raw();
  const Timestamp realtime = machine.clock.Realtime();
  machine.clock.Step(5s);
  EXPECT_EQ(machine.clock.Realtime() - realtime, 5s);
  machine.clock.Slew(-10ms, 1'000'000);  // 1 ms a second: ten seconds.
  machine.Pass(4s);
  EXPECT_EQ(machine.clock.Realtime() - realtime, 9s - 4ms);
  machine.Pass(16s);
  EXPECT_EQ(machine.clock.Realtime() - realtime, 25s - 10ms);
  EXPECT_EQ(machine.clock.Raw() - raw, 20s);
}

TEST(ClockModelTest, ASuspendedMachineLosesRawTimeAndTellsHowMuch) {
  Machine machine(3);
  machine.clock.SetDrift(0);
  const MonotonicTime raw = machine.clock.Raw();
  machine.clock.Suspend();
  machine.Pass(100s);
  machine.clock.Wake();
  machine.Pass(1s);
  EXPECT_EQ(machine.clock.Raw() - raw, 1s);
  EXPECT_EQ(machine.clock.Suspended().at_least, 100s);
  EXPECT_EQ(machine.clock.Suspended().at_most, 100s);
  EXPECT_LE(machine.BeyondBound(), 0ns);
}

TEST(TimeDaemonTest, IsWithinItsBoundThroughDriftStepsLossAndSuspension) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Machine machine(seed, {.drift_ppm_max = 200, .wander_every = 5s});
    runtime::Random random(seed);
    Duration closest = Duration::min();
    for (int i = 0; i < 300; ++i) {
      machine.Pass(random.Exponential(1s));
      switch (random.Uniform(0, 15)) {
        case 0:
          machine.daemon.LoseSources();
          break;
        case 1:
        case 2:
          machine.daemon.RegainSources();
          break;
        case 3:
          machine.daemon.StepRealtime(random.Uniform(-10s, 10s));
          break;
        case 4:
          machine.clock.SetDrift(200 - 400 * random.Fraction());
          break;
        case 5:
          machine.clock.Suspend();
          machine.Pass(random.Exponential(20s));
          machine.clock.Wake();
          break;
        default:
          break;
      }
      const Duration beyond = machine.BeyondBound();
      ASSERT_LE(beyond, 0ns) << "seed " << seed << " step " << i;
      closest = std::max(closest, beyond);
    }
    // A bound that is never nearly reached would hide who trusts too much.
    EXPECT_GT(closest, -50us) << "seed " << seed;
  }
}

TEST(TimeDaemonTest, TheRealtimeClockFollowsTheEstimate) {
  Machine machine(4);
  machine.Pass(600s);
  const int64_t error = (machine.clock.Realtime() - machine.recorder.true_time()).count();
  EXPECT_LT(std::abs(error), 5'000'000);
}

TEST(TimeDaemonTest, ALieIsBeyondTheBoundUntilItIsTakenBack) {
  Machine machine(5);
  machine.daemon.Lie(50ms);
  EXPECT_GT(machine.BeyondBound(), 40ms);
  machine.Pass(60s);
  EXPECT_GT(machine.BeyondBound(), 40ms);
  machine.daemon.Lie(0ms);
  EXPECT_LE(machine.BeyondBound(), 0ns);
  const Timestamp before = machine.clock.Realtime();
  machine.daemon.StepSource(5s);
  EXPECT_EQ(machine.clock.Realtime() - before, 5s);
  EXPECT_GT(machine.BeyondBound(), 4s);
}

TEST(TimeDaemonTest, LostSourcesAgeAndEndUnsynchronised) {
  Machine machine(6, {}, {.poll_every = 4s});
  machine.Pass(10s);
  EXPECT_EQ(machine.daemon.Read()->leap, LeapStatus::kNormal);
  machine.daemon.LoseSources();
  machine.Pass(20s);
  EXPECT_EQ(machine.daemon.Read()->leap, LeapStatus::kNormal);
  EXPECT_GE(machine.daemon.Read()->age, 20s);
  machine.Pass(20s);
  EXPECT_EQ(machine.daemon.Read()->leap, LeapStatus::kNotSynchronised);
  machine.daemon.SetSilent(true);
  EXPECT_TRUE(absl::IsUnavailable(machine.daemon.Read().status()));
}

}  // namespace
}  // namespace simulated
