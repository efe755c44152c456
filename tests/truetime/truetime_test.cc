#include "truetime/truetime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/deadline.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "tests/truetime/fake_world.h"
#include "truetime/fixed_source.h"

namespace truetime {
namespace {

using runtime::Duration;
using runtime::Task;
using runtime::TaskScope;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// A source that says what the test wants, on the raw clock.
class ScriptedSource final : public TimeSource {
 public:
  ScriptedSource(FakeWorld* world, absl::Status first_failure)
      : failure(std::move(first_failure)), world_(world) {}
  std::string name() const override { return "scripted"; }
  BaseClock base() const override { return BaseClock::kRaw; }
  Task<absl::StatusOr<Reading>> Read() override {
    ++reads;
    if (delay > 0ns) {
      if (absl::Status slept = co_await runtime::SleepFor(delay); !slept.ok()) co_return slept;
    }
    if (!failure.ok()) co_return failure;
    const BaseTime base = ReadBase(world_->clocks(), BaseClock::kRaw);
    co_return Reading{
        base, base,         Interval::Around(world_->clocks().True() + offset, epsilon),
        0ns,  std::nullopt, {}};
  }

  Duration offset{0};
  Duration epsilon = 1ms;
  Duration delay{0};
  absl::Status failure;
  int reads = 0;

 private:
  FakeWorld* const world_;
};

Task<void> Store(Task<absl::Status> task, std::optional<absl::Status>* result) {
  result->emplace(co_await std::move(task));
}

class TrueTimeTest : public testing::Test {
 protected:
  template <typename Source, typename... Arguments>
  Source* Start(TrueTimeOptions options, Arguments... arguments) {
    auto source = std::make_unique<Source>(arguments...);
    Source* raw = source.get();
    world_.executor.Do([&] {
      truetime_.emplace(&world_, std::move(source), options);
      scope_.emplace(world_.executor);
      truetime_->Start();
    });
    world_.executor.Run();
    return raw;
  }
  ScriptedSource* StartScripted(absl::Status failure = absl::OkStatus(),
                                TrueTimeOptions options = {}) {
    return Start<ScriptedSource>(options, &world_, std::move(failure));
  }

  void Spawn(Task<absl::Status> task, std::optional<absl::Status>* result) {
    world_.executor.Do([&] { scope_->Spawn(Store(std::move(task), result)); });
  }

  void TearDown() override {
    if (!truetime_.has_value()) return;
    world_.executor.Do([&] { scope_->Spawn(truetime_->Close()); });
    world_.executor.Run();
    EXPECT_EQ(scope_->size(), 0u);
  }

  std::vector<ClockState> States() const {
    std::vector<ClockState> states;
    for (const ClockStateChange& change : truetime_->history()) states.push_back(change.state);
    return states;
  }

  Timestamp True() { return world_.clocks().True(); }

  FakeWorld world_;
  std::optional<TrueTime> truetime_;
  std::optional<TaskScope> scope_;
};

// --- Readings and states ---

TEST_F(TrueTimeTest, AStartWaitsForSynchronisationInsteadOfFailing) {
  ScriptedSource* source = StartScripted(absl::UnavailableError("nobody is there"));
  world_.executor.RunFor(10s);
  EXPECT_EQ(truetime_->state(), ClockState::kWaiting);
  EXPECT_EQ(truetime_->Now(), Interval());
  EXPECT_FALSE(truetime_->After(True()));
  EXPECT_FALSE(truetime_->Before(True()));
  EXPECT_EQ(truetime_->CheckSafe().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(truetime_->CheckSafe().ToString(), HasSubstr("its clock is waiting (TT-STATES)"));
  EXPECT_EQ(truetime_->last_failure().message(), "nobody is there");

  std::optional<absl::Status> safe;
  Spawn(truetime_->WaitUntilSafe(), &safe);
  world_.executor.RunFor(2s);
  EXPECT_FALSE(safe.has_value());
  source->failure = absl::OkStatus();
  world_.executor.RunFor(2s);
  EXPECT_EQ(safe, absl::OkStatus());
  EXPECT_TRUE(truetime_->CheckSafe().ok());
  EXPECT_TRUE(truetime_->Now().Contains(True()));
  EXPECT_TRUE(truetime_->last_reading().has_value());
}

TEST_F(TrueTimeTest, PollsOncePerPeriodAndWhenAsked) {
  ScriptedSource* source = StartScripted();
  EXPECT_EQ(source->reads, 1);
  world_.executor.RunFor(3500ms);
  EXPECT_EQ(source->reads, 4);
  world_.executor.Do([&] { truetime_->PollSoon(); });
  world_.executor.Run();
  EXPECT_EQ(source->reads, 5);
  world_.executor.RunFor(999ms);
  EXPECT_EQ(source->reads, 5);
}

TEST_F(TrueTimeTest, AReadingThatTakesTooLongCountsAsNone) {
  ScriptedSource* source = StartScripted();
  source->delay = 600ms;
  world_.executor.RunFor(10s);
  EXPECT_EQ(truetime_->state(), ClockState::kHoldover);
  EXPECT_TRUE(absl::IsDeadlineExceeded(truetime_->last_failure()));
  source->delay = 100ms;
  world_.executor.RunFor(5s);
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
  EXPECT_TRUE(truetime_->Now().Contains(True()));
}

TEST_F(TrueTimeTest, EachChangeOfStateIsOneLogLineAndAMetric) {
  ScriptedSource* source = StartScripted();
  source->failure = absl::UnavailableError("chronyd is silent");
  world_.executor.RunFor(5s);
  source->failure = absl::OkStatus();
  world_.executor.RunFor(5s);
  EXPECT_THAT(States(), ElementsAre(ClockState::kWaiting, ClockState::kSynchronised,
                                    ClockState::kHoldover, ClockState::kSynchronised));
  EXPECT_THAT(
      world_.fake_log.lines,
      ElementsAre(HasSubstr("warning truetime.state state=waiting"),
                  HasSubstr("info truetime.state state=synchronised"),
                  AllOf(HasSubstr("state=holdover"), HasSubstr("why=\"chronyd is silent\"")),
                  HasSubstr("state=synchronised")));
  const std::string metrics = world_.metrics().PrometheusText();
  EXPECT_THAT(metrics, HasSubstr("isochron_truetime_state{state=\"synchronised\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("isochron_truetime_state{state=\"holdover\"} 0"));
  EXPECT_THAT(metrics, HasSubstr("isochron_truetime_reading_failures_total 5"));
}

TEST_F(TrueTimeTest, IsUnsafeInTimeAlsoWhenThePollLoopHasStalled) {
  TrueTimeOptions options;
  options.clock.holdover_max = 5s;
  StartScripted(absl::OkStatus(), options);
  world_.fake_clocks.Stall(7s);  // Nothing runs.
  EXPECT_TRUE(truetime_->TimeSafe());
  world_.fake_clocks.Stall(2s);
  EXPECT_FALSE(truetime_->TimeSafe());
  EXPECT_THAT(truetime_->CheckSafe().ToString(), HasSubstr("unbounded"));
  EXPECT_TRUE(truetime_->Now().Contains(True()));
}

TEST_F(TrueTimeTest, ClosingEndsThePollingAndTheIntervalGrowsOn) {
  ScriptedSource* source = StartScripted();
  world_.executor.Do([&] { scope_->Spawn(truetime_->Close()); });
  world_.executor.RunFor(100s);
  EXPECT_EQ(source->reads, 1);
  EXPECT_TRUE(truetime_->Now().Contains(True()));
  EXPECT_GT(truetime_->Now().epsilon(), 20ms);
}

// --- Fixed source ---

TEST_F(TrueTimeTest, FixedSourceGivesExactlyTwiceEpsilonAndDoesNotGrow) {
  Start<FixedSource>({}, &world_, 2ms);
  for (int i = 0; i < 100; ++i) {
    world_.executor.RunFor(77ms);
    EXPECT_EQ(truetime_->Now(), Interval::Around(world_.clocks().Realtime(), 2ms));
  }
  EXPECT_THAT(States(), ElementsAre(ClockState::kWaiting, ClockState::kSynchronised));
}

TEST_F(TrueTimeTest, FixedSourceWithoutEpsilonIsThePointItself) {
  Start<FixedSource>({}, &world_, 0ms);
  EXPECT_EQ(truetime_->Now().earliest, world_.clocks().Realtime());
  EXPECT_EQ(truetime_->Now().width(), 0ns);
}

TEST_F(TrueTimeTest, FixedEpsilonCanBeChangedAtRunTime) {
  FixedSource* source = Start<FixedSource>({}, &world_, 2ms);
  source->SetEpsilon(9ms);
  world_.executor.RunFor(2s);
  EXPECT_EQ(truetime_->Now(), Interval::Around(world_.clocks().Realtime(), 9ms));
  source->SetEpsilon(1ms);
  world_.executor.RunFor(2s);
  EXPECT_EQ(truetime_->Now(), Interval::Around(world_.clocks().Realtime(), 1ms));
  EXPECT_EQ(truetime_->history().size(), 2u);
}

TEST_F(TrueTimeTest, TtMonotoneHoldsWhenTheRealtimeClockIsSetBack) {
  Start<FixedSource>({}, &world_, 2ms);
  world_.executor.RunFor(1500ms);
  Interval last = truetime_->Now();
  world_.fake_clocks.realtime_offset = -3s;
  for (int i = 0; i < 100; ++i) {
    const Interval now = truetime_->Now();
    EXPECT_GE(now.earliest, last.earliest);
    EXPECT_GE(now.latest, last.latest);
    last = now;
    if (i == 20) {
      EXPECT_EQ(truetime_->state(), ClockState::kDisrupted);
    }
    world_.executor.RunFor(100ms);
  }
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
  EXPECT_EQ(truetime_->Now(), Interval::Around(world_.clocks().Realtime(), 2ms));
}

// --- Commit wait ---

TEST_F(TrueTimeTest, CommitWaitEndsAtTheFirstMomentItMay) {
  Start<FixedSource>({}, &world_, 5ms);
  const Timestamp commit = truetime_->Now().latest;
  std::optional<absl::Status> waited;
  Spawn(truetime_->WaitUntilAfter(commit), &waited);
  world_.executor.RunFor(10ms);
  EXPECT_FALSE(waited.has_value());
  world_.executor.RunFor(1us);
  EXPECT_EQ(waited, absl::OkStatus());
  EXPECT_TRUE(truetime_->After(commit));
}

TEST_F(TrueTimeTest, CommitWaitForThePastEndsAtOnce) {
  StartScripted();
  std::optional<absl::Status> waited;
  Spawn(truetime_->WaitUntilAfter(True() - 1s), &waited);
  world_.executor.Run();
  EXPECT_EQ(waited, absl::OkStatus());
}

TEST_F(TrueTimeTest, CommitWaitLooksAgainWhenAReadingMakesTheIntervalNarrower) {
  ScriptedSource* source = StartScripted();
  source->epsilon = 0ms;
  // At 1 ms of epsilon this would take 2 ms more than it does after the next reading.
  std::optional<absl::Status> waited;
  const Timestamp commit = True() + 1s;
  Spawn(truetime_->WaitUntilAfter(commit), &waited);
  world_.executor.RunFor(1s);
  EXPECT_FALSE(waited.has_value());
  world_.executor.RunFor(300us);
  EXPECT_EQ(waited, absl::OkStatus());
  EXPECT_TRUE(truetime_->After(commit));
}

TEST_F(TrueTimeTest, CommitWaitNeverTrustsItsSleep) {
  Start<FixedSource>({}, &world_, 5ms);
  const Timestamp commit = truetime_->Now().latest;
  std::optional<absl::Status> waited;
  Spawn(truetime_->WaitUntilAfter(commit), &waited);
  world_.executor.Run();
  world_.fake_clocks.realtime_offset = -4ms;  // Somebody slews the clock meanwhile.
  world_.executor.RunFor(13ms);
  EXPECT_FALSE(waited.has_value());
  world_.executor.RunFor(2ms);
  EXPECT_EQ(waited, absl::OkStatus());
}

TEST_F(TrueTimeTest, CommitWaitGoesOnThroughADisruption) {
  ScriptedSource* source = StartScripted();
  const Timestamp commit = truetime_->Now().latest + 1500ms;
  std::optional<absl::Status> waited;
  Spawn(truetime_->WaitUntilAfter(commit), &waited);
  source->offset = 10s;
  world_.executor.RunFor(1500ms);
  EXPECT_EQ(truetime_->state(), ClockState::kDisrupted);
  source->offset = 0s;
  world_.executor.RunFor(1s);
  // True time is past the commit, but nobody can be sure.
  EXPECT_FALSE(waited.has_value());
  world_.executor.RunFor(20s);
  EXPECT_EQ(waited, absl::OkStatus());
}

TEST_F(TrueTimeTest, CommitWaitEndsWithItsDeadline) {
  StartScripted(absl::UnavailableError("nobody"));
  std::optional<absl::Status> waited;
  world_.executor.Do([&] {
    scope_->Spawn(Store(runtime::WithTimeout(3s, truetime_->WaitUntilAfter(True())), &waited));
  });
  world_.executor.RunFor(5s);
  ASSERT_TRUE(waited.has_value());
  EXPECT_TRUE(absl::IsDeadlineExceeded(*waited));
}

// --- TT-INJECT ---

TEST_F(TrueTimeTest, AnInjectionHoldsAtOnce) {
  StartScripted();
  world_.executor.Do([&] { truetime_->Inject({.epsilon = 50ms, .offset = 7ms}); });
  EXPECT_EQ(truetime_->Now().latest, True() + 57ms);
  world_.executor.RunFor(100ms);  // What was promised is passed.
  EXPECT_EQ(truetime_->Now(), Interval::Around(True() + 7ms, 50ms));
  EXPECT_EQ(truetime_->injection().offset, 7ms);
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
}

// --- Rules switched off ---

TEST_F(TrueTimeTest, WithoutTtBoundTheIntervalDoesNotGrow) {
  world_.fake_experiments.without = {"TT-BOUND"};
  StartScripted();
  const Duration before = truetime_->Now().width();
  world_.fake_clocks.Stall(500ms);
  EXPECT_EQ(truetime_->Now().width(), before);
}

TEST_F(TrueTimeTest, WithoutTtMonotoneItGoesBack) {
  world_.fake_experiments.without = {"TT-MONOTONE"};
  ScriptedSource* source = StartScripted();
  source->epsilon = 100us;
  const Interval wide = truetime_->Now();
  world_.executor.Do([&] { truetime_->PollSoon(); });
  world_.executor.Run();
  EXPECT_LT(truetime_->Now().latest, wide.latest);
}

// --- TT-CONTRADICTION ---

class PeersTest : public TrueTimeTest {
 protected:
  static constexpr runtime::NodeId kB{2};
  static constexpr runtime::NodeId kC{3};

  void Hear(runtime::NodeId peer, Duration off, std::optional<Duration> age = 0ns) {
    const Interval stamp = Interval::Around(True() + off, 1ms);
    world_.executor.Do([&] { truetime_->Observe(peer, {stamp.earliest, stamp.latest}, age); });
    world_.executor.Run();
  }
  const ContradictionDetector& detector() { return truetime_->peers().detector(); }
};

TEST_F(PeersTest, StampsWithItsOwnInterval) {
  StartScripted();
  const runtime::ClockStamp stamp = truetime_->Stamp();
  const Interval now = truetime_->Now();
  EXPECT_EQ(stamp.earliest, now.earliest);
  EXPECT_EQ(stamp.latest, now.latest);
}

TEST_F(PeersTest, AContradictionIsCountedAndThePairKept) {
  StartScripted();
  Hear(kB, 10ms, std::nullopt);
  Hear(kB, 10ms, std::nullopt);
  EXPECT_EQ(truetime_->peers().contradiction_count(), 2);
  // The second one within the same moment is counted, not compared.
  EXPECT_EQ(detector().contradictions().size(), 1u);
  EXPECT_EQ(detector().contradictions().front().peer, kB);
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
  EXPECT_THAT(world_.metrics().PrometheusText(),
              HasSubstr("isochron_truetime_contradictions_total 2"));
}

TEST_F(PeersTest, AContradictionIsComparedAtOnceThoughThePeerWasJustHeard) {
  StartScripted();
  Hear(kB, 0ms);
  Hear(kC, 0ms);
  Hear(kC, 10ms);
  EXPECT_THAT(detector().liars(), ElementsAre(kC));
  EXPECT_THAT(world_.fake_log.lines, Contains(HasSubstr("truetime.liars nodes=3 known_nodes=3")));
}

TEST_F(PeersTest, OutsideTheMajorityThisNodeIsDisruptedAndItsCommitsAreTainted) {
  ScriptedSource* source = StartScripted();
  Hear(kB, 0ms);
  truetime_->Stamped(Timestamp(11));
  world_.executor.RunFor(2ms);
  Hear(kC, 0ms);  // A proof.
  truetime_->Stamped(Timestamp(12));
  world_.executor.Do([&] { truetime_->Inject({.offset = 100ms}); });
  truetime_->Stamped(Timestamp(13));
  Hear(kB, 0ms);
  EXPECT_EQ(truetime_->state(), ClockState::kDisrupted);
  EXPECT_FALSE(truetime_->TimeSafe());
  EXPECT_THAT(truetime_->peers().taints().tainted(), ElementsAre(Timestamp(12), Timestamp(13)));
  // It recovers when it has been inside again for a while.
  world_.executor.Do([&] { truetime_->Inject({}); });
  (void)source;
  for (int i = 0; i < 50; ++i) {
    world_.executor.RunFor(100ms);
    Hear(kB, 0ms);
    Hear(kC, 0ms);
  }
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
}

TEST_F(PeersTest, AClientOrAPeerWithoutTheTimeSaysNothing) {
  StartScripted();
  Hear(runtime::NodeId(0), 10s);
  world_.executor.Do([&] { truetime_->Observe(kB, runtime::ClockStamp(), 0ns); });
  EXPECT_EQ(truetime_->peers().contradiction_count(), 0);
  EXPECT_EQ(detector().known_nodes(), 1u);
}

TEST_F(PeersTest, WithoutTtContradictionLiesGoUnnoticed) {
  world_.fake_experiments.without = {"TT-CONTRADICTION"};
  StartScripted();
  Hear(kB, 10s);
  Hear(kC, 10s);
  EXPECT_EQ(truetime_->peers().contradiction_count(), 0);
  EXPECT_EQ(truetime_->state(), ClockState::kSynchronised);
}

TEST_F(PeersTest, WhatWasPostedFromElsewhereFindsNoClockAfterItsEnd) {
  StartScripted();
  // Outside the loop, as on a network's thread.
  truetime_->Observe(kB, {True() + 10s, True() + 11s}, 0ns);
  world_.executor.Do([&] { scope_->Spawn(truetime_->Close()); });
  world_.executor.Run();
  truetime_->Observe(kC, {True() + 10s, True() + 11s}, 0ns);
  truetime_.reset();
  world_.executor.Run();
}

}  // namespace
}  // namespace truetime
