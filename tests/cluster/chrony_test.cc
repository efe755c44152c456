// TrueTime on real chronyd processes: its interval holds the upstream's time, and what happens to
// either daemon moves the state as TT-STATES says, and back. Prints epsilon at each step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "runtime/clocks.h"
#include "runtime/datagrams.h"
#include "runtime/deadline.h"
#include "runtime/format.h"
#include "runtime/real/real_world.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "tests/cluster/chrony_pair.h"
#include "truetime/chrony_source.h"
#include "truetime/truetime.h"

namespace cluster {
namespace {

using real::RealWorld;
using runtime::Duration;
using runtime::FormatDuration;
using runtime::MonotonicTime;
using runtime::Task;
using runtime::Timestamp;
using testing::HasSubstr;
using truetime::ChronySource;
using truetime::ClockState;
using truetime::ClockStateChange;
using truetime::Interval;
using truetime::TrueTime;
using namespace std::chrono_literals;

constexpr int kReadings = 10'000;

// Short times, so that every state is reached within seconds.
truetime::TrueTimeOptions QuickOptions() {
  truetime::TrueTimeOptions options;
  options.poll_period = 20ms;
  options.read_timeout = 2s;
  options.clock.holdover_after = 500ms;
  options.clock.holdover_max = 1s;
  options.clock.recovery_readings = 10;
  return options;
}

Task<void> Make(RealWorld* world, std::vector<std::string> addresses,
                std::optional<TrueTime>* truetime) {
  truetime->emplace(world,
                    std::make_unique<ChronySource>(
                        world, truetime::ChronySourceOptions{.addresses = std::move(addresses),
                                                             .answer_timeout = 1s}),
                    QuickOptions());
  (*truetime)->Start();
  co_return;
}

Task<void> Destroy(std::optional<TrueTime>* truetime) {
  co_await (*truetime)->Close();
  truetime->reset();
}

// Waits until the clock enters or is in `state` at or after `since`.
Task<absl::Status> WaitForState(TrueTime* truetime, ClockState state, MonotonicTime since) {
  while (true) {
    if (truetime->state() == state) co_return absl::OkStatus();
    for (const ClockStateChange& change : truetime->history()) {
      if (change.state == state && change.since_raw >= since) co_return absl::OkStatus();
    }
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(2ms));
  }
}

// Waits until the clock is in `state` and has been for half a second.
Task<absl::Status> WaitUntilSettled(TrueTime* truetime, ClockState state, RealWorld* world) {
  while (truetime->state() != state ||
         world->clocks().Raw() - truetime->history().back().since_raw < 500ms) {
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(2ms));
  }
  co_return absl::OkStatus();
}

// WithTimeout, made where it runs: on the loop.
Task<absl::Status> Within(Duration limit, Task<absl::Status> task) {
  co_return co_await runtime::WithTimeout(limit, std::move(task));
}

// How far the upstream's time is ahead of this machine's clock.
Task<absl::StatusOr<Duration>> UpstreamOffset(RealWorld* world, std::string address) {
  CO_ASSIGN_OR_RETURN(
      const std::string answer,
      co_await world->datagrams().Exchange(address, truetime::EncodeTrackingRequest(1), 1s));
  CO_ASSIGN_OR_RETURN(const truetime::ChronyTracking tracking,
                      truetime::DecodeTrackingReply(answer, 1));
  co_return Duration(static_cast<int64_t>(tracking.correction.value * 1e9));
}

// What the clock is in now; taken on its loop.
struct Snapshot {
  ClockState state = ClockState::kWaiting;
  std::string why;
  std::string failure;
  Duration epsilon{0};
};
Task<Snapshot> TakeSnapshot(TrueTime* truetime) {
  co_return Snapshot{truetime->state(), truetime->history().back().why,
                     truetime->last_failure().ToString(), truetime->Now().epsilon()};
}

struct ReadingsResult {
  int readings = 0;
  int outside = 0;
  std::vector<Duration> epsilons;
  absl::Status failure;
};

// Takes many readings, and looks each time whether it, and TrueTime's interval, hold the upstream's
// time, which is this machine's clock.
Task<ReadingsResult> TakeReadings(RealWorld* world, TrueTime* truetime, std::string address) {
  // The machine may be busy with other tests: an answer may take its time.
  ChronySource source(world, {.addresses = {address}, .answer_timeout = 5s});
  ReadingsResult result;
  while (result.readings < kReadings) {
    const Timestamp before_reading = world->clocks().Realtime();
    const absl::StatusOr<truetime::Reading> reading = co_await source.Read();
    const Timestamp before = world->clocks().Realtime();
    const Interval now = truetime->Now();
    const Timestamp after = world->clocks().Realtime();
    if (!reading.ok()) {
      result.failure = reading.status();
      co_return result;
    }
    ++result.readings;
    result.epsilons.push_back(now.epsilon());
    // Each interval was taken at some moment between two looks at the upstream's time.
    const bool holds =
        truetime::Intersect(reading->interval, {before_reading, before}).has_value() &&
        truetime::Intersect(now, {before, after}).has_value();
    if (!holds) ++result.outside;
  }
  co_return result;
}

class ChronyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = ChronyPair::WhyNot(); !why.empty()) GTEST_SKIP() << why;
    real::RealWorldOptions options;
    options.loops = 1;
    options.log = real::LogDestination::kNowhere;
    absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(options);
    ASSERT_TRUE(world.ok()) << world.status();
    world_ = *std::move(world);
  }

  void TearDown() override {
    if (truetime_.has_value()) world_->RunUntilDone(Destroy(&truetime_));
  }

  void StartTrueTime(std::vector<std::string> addresses) {
    world_->RunUntilDone(Make(world_.get(), std::move(addresses), &truetime_));
  }

  void Expect(ClockState state, Duration within) {
    const absl::Status waited =
        world_->RunUntilDone(Within(within, WaitForState(&*truetime_, state, event_)));
    CheckAndPrint(waited, state);
  }

  void ExpectSettled(Duration within) {
    const absl::Status waited = world_->RunUntilDone(
        Within(within, WaitUntilSettled(&*truetime_, ClockState::kSynchronised, world_.get())));
    CheckAndPrint(waited, ClockState::kSynchronised);
  }

  void CheckAndPrint(const absl::Status& waited, ClockState wanted) {
    last_ = world_->RunUntilDone(TakeSnapshot(&*truetime_));
    const std::string wanted_name(truetime::ClockStateName(wanted));
    ASSERT_TRUE(waited.ok()) << "not " << wanted_name << " but "
                             << truetime::ClockStateName(last_.state) << ": " << last_.why << "; "
                             << last_.failure;
    std::printf("  after %-8s %-13s epsilon %-10s %s\n",
                FormatDuration(world_->clocks().Raw() - event_).c_str(), wanted_name.c_str(),
                FormatDuration(last_.epsilon).c_str(), last_.why.c_str());
  }

  // The interval holds the upstream's time, wherever that now is.
  void ExpectHoldsUpstream(const std::string& upstream) {
    const absl::StatusOr<Duration> offset =
        world_->RunUntilDone(UpstreamOffset(world_.get(), upstream));
    ASSERT_TRUE(offset.ok()) << offset.status();
    const Timestamp before = world_->clocks().Realtime() + *offset;
    const Interval now = truetime_->Now();
    const Timestamp after = world_->clocks().Realtime() + *offset;
    EXPECT_LE(now.earliest, after);
    EXPECT_GE(now.latest, before);
  }

  void Event(const char* what) {
    event_ = world_->clocks().Raw();
    std::printf("%s\n", what);
  }

  std::unique_ptr<RealWorld> world_;
  std::optional<TrueTime> truetime_;
  MonotonicTime event_;
  Snapshot last_;
};

TEST_F(ChronyTest, HoldsTheUpstreamsTimeAndMovesThroughTheStates) {
  absl::StatusOr<ChronyPair> pair = ChronyPair::Create();
  ASSERT_TRUE(pair.ok()) << pair.status();
  Event("two chronyd processes start");
  StartTrueTime({pair->follower_socket()});
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(20s));

  Event("10000 readings");
  const ReadingsResult result =
      world_->RunUntilDone(TakeReadings(world_.get(), &*truetime_, pair->follower_socket()));
  ASSERT_TRUE(result.failure.ok()) << result.failure;
  EXPECT_EQ(result.readings, kReadings);
  EXPECT_EQ(result.outside, 0) << "TT-CONTAINS";
  std::vector<Duration> epsilons = result.epsilons;
  std::sort(epsilons.begin(), epsilons.end());
  std::printf("  epsilon: least %s, median %s, most %s\n", FormatDuration(epsilons.front()).c_str(),
              FormatDuration(epsilons[epsilons.size() / 2]).c_str(),
              FormatDuration(epsilons.back()).c_str());

  Event("the upstream is killed");
  pair->KillUpstream();
  ASSERT_NO_FATAL_FAILURE(Expect(ClockState::kHoldover, 20s));
  EXPECT_THAT(last_.failure, HasSubstr("reachable"));
  Event("the upstream starts again");
  ASSERT_TRUE(pair->StartUpstream().ok());
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(20s));
  ExpectHoldsUpstream(pair->upstream_address());

  Event("the follower is killed");
  pair->KillFollower();
  ASSERT_NO_FATAL_FAILURE(Expect(ClockState::kHoldover, 10s));
  EXPECT_THAT(last_.failure, HasSubstr("chronyd is silent"));
  ExpectHoldsUpstream(pair->upstream_address());
  ASSERT_NO_FATAL_FAILURE(Expect(ClockState::kUnbounded, 10s));
  EXPECT_FALSE(truetime_->TimeSafe());
  ExpectHoldsUpstream(pair->upstream_address());
  Event("the follower starts again");
  ASSERT_TRUE(pair->StartFollower().ok());
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(20s));
  ExpectHoldsUpstream(pair->upstream_address());

  Event("the upstream steps by 5 s");
  ASSERT_TRUE(pair->StepUpstream().ok());
  ASSERT_NO_FATAL_FAILURE(Expect(ClockState::kDisrupted, 20s));
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(40s));
  ExpectHoldsUpstream(pair->upstream_address());

  Event("the upstream starts again, 5 s back");
  pair->KillUpstream();
  ASSERT_TRUE(pair->StartUpstream().ok());
  const Timestamp promised = truetime_->Now().earliest;
  ASSERT_NO_FATAL_FAILURE(Expect(ClockState::kDisrupted, 20s));
  EXPECT_GE(truetime_->Now().earliest, promised) << "TT-MONOTONE";
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(40s));
  ExpectHoldsUpstream(pair->upstream_address());
}

TEST_F(ChronyTest, ThePortServesAsWellAsTheSocket) {
  absl::StatusOr<ChronyPair> pair = ChronyPair::Create();
  ASSERT_TRUE(pair.ok()) << pair.status();
  Event("chronyd is asked at its port, since there is no such socket");
  StartTrueTime({pair->folder() + "/none.sock", pair->follower_address()});
  ASSERT_NO_FATAL_FAILURE(ExpectSettled(20s));
  ExpectHoldsUpstream(pair->upstream_address());
}

TEST_F(ChronyTest, WithoutChronydTheClockWaitsAndSaysWhy) {
  StartTrueTime({"/nonexistent/chronyd.sock"});
  world_
      ->RunUntilDone(
          Within(200ms, WaitForState(&*truetime_, ClockState::kSynchronised, MonotonicTime::Max())))
      .IgnoreError();
  EXPECT_EQ(truetime_->state(), ClockState::kWaiting);
  EXPECT_EQ(truetime_->Now(), Interval());
  EXPECT_FALSE(truetime_->CheckSafe().ok());
  EXPECT_THAT(world_->RunUntilDone(TakeSnapshot(&*truetime_)).failure,
              HasSubstr("/nonexistent/chronyd.sock"));
}

TEST_F(ChronyTest, AnUpstreamsOwnClockIsNoReference) {
  absl::StatusOr<ChronyPair> pair = ChronyPair::Create();
  ASSERT_TRUE(pair.ok()) << pair.status();
  StartTrueTime({pair->upstream_address()});
  world_
      ->RunUntilDone(
          Within(500ms, WaitForState(&*truetime_, ClockState::kSynchronised, MonotonicTime::Max())))
      .IgnoreError();
  EXPECT_EQ(truetime_->state(), ClockState::kWaiting);
}

}  // namespace
}  // namespace cluster
