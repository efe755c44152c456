// TrueTime on the real World: many threads and loops at once. No assertion on how long things take.
#include "runtime/real/real_world.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/clocks.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "truetime/fixed_source.h"
#include "truetime/truetime.h"

namespace truetime {
namespace {

using real::RealWorld;
using runtime::Task;
using namespace std::chrono_literals;

#ifdef ISOCHRON_SANITIZED
constexpr int kRounds = 100;
#else
constexpr int kRounds = 400;
#endif

// The host's clock, each time within another bound, so that every reading replaces the interval.
class RestlessSource final : public TimeSource {
 public:
  explicit RestlessSource(RealWorld* world) : world_(world) {}
  std::string name() const override { return "restless"; }
  BaseClock base() const override { return BaseClock::kRaw; }
  Task<absl::StatusOr<Reading>> Read() override {
    Reading reading;
    reading.before = ReadBase(world_->clocks(), base());
    const Duration epsilon = ++reads_ % 3 * 2ms + 3ms;
    reading.interval = Interval::Around(world_->clocks().Realtime() + reads_ % 5 * 100us, epsilon);
    reading.after = ReadBase(world_->clocks(), base());
    co_return reading;
  }

 private:
  RealWorld* const world_;
  int reads_ = 0;
};

std::unique_ptr<RealWorld> MakeWorld() {
  real::RealWorldOptions options;
  options.loops = 2;
  options.log = real::LogDestination::kNowhere;
  absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(options);
  EXPECT_TRUE(world.ok()) << world.status();
  return *std::move(world);
}

// Polls and injects as fast as the loop turns.
Task<void> Disturb(TrueTime* truetime) {
  for (int round = 0; round < kRounds; ++round) {
    truetime->PollSoon();
    truetime->Inject({.epsilon = round % 7 * 1ms});
    (co_await runtime::SleepFor(200us)).IgnoreError();
  }
  co_await truetime->Close();
}

Task<void> StartUntilSafe(TrueTime* truetime) {
  truetime->Start();
  EXPECT_TRUE((co_await truetime->WaitUntilSafe()).ok());
}

// On its loop, where stamps of peers may still be waiting for it.
Task<void> Destroy(std::optional<TrueTime>* truetime) {
  truetime->reset();
  co_return;
}

void Raise(std::atomic<int64_t>& to, int64_t value) {
  int64_t before = to.load();
  while (value > before && !to.compare_exchange_weak(before, value)) {
  }
}

class MonotoneInAllThreads : public testing::TestWithParam<bool> {};

// TT-MONOTONE: no thread ever sees either end below what another had seen before it looked.
TEST_P(MonotoneInAllThreads, WhateverIsPublishedMeanwhile) {
  const std::unique_ptr<RealWorld> world = MakeWorld();
  std::unique_ptr<TimeSource> source;
  if (GetParam()) {
    source = std::make_unique<RestlessSource>(world.get());
  } else {
    source = std::make_unique<FixedSource>(world.get(), 1ms);
  }
  std::optional<TrueTime> truetime;
  truetime.emplace(world.get(), std::move(source), TrueTimeOptions());
  world->RunUntilDone(StartUntilSafe(&*truetime));

  std::atomic<int64_t> earliest_seen = 0;
  std::atomic<int64_t> latest_seen = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop.load()) {
        const int64_t earliest = earliest_seen.load();
        const int64_t latest = latest_seen.load();
        const Interval now = truetime->Now();
        ASSERT_TRUE(now.valid());
        ASSERT_GE(now.earliest.nanoseconds(), earliest);
        ASSERT_GE(now.latest.nanoseconds(), latest);
        Raise(earliest_seen, now.earliest.nanoseconds());
        Raise(latest_seen, now.latest.nanoseconds());
        truetime->Observe(runtime::NodeId(2), {now.earliest, now.latest}, std::nullopt);
      }
    });
  }
  world->RunUntilDone(Disturb(&*truetime));
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(truetime->peers().contradiction_count(), 0);
  world->RunUntilDone(Destroy(&truetime));
}

INSTANTIATE_TEST_SUITE_P(Sources, MonotoneInAllThreads, testing::Values(true, false),
                         [](const auto& param_info) {
                           return param_info.param ? "RawClock" : "RealtimeClock";
                         });

Task<absl::Status> CommitOften(TrueTime* truetime, int commits) {
  for (int i = 0; i < commits; ++i) {
    const Timestamp commit = truetime->Now().latest;
    if (absl::Status waited = co_await truetime->WaitUntilAfter(commit); !waited.ok()) {
      co_return waited;
    }
    EXPECT_TRUE(truetime->After(commit));
  }
  co_return absl::OkStatus();
}

Task<absl::Status> CommitOnBothLoops(RealWorld* world, TrueTime* truetime) {
  std::vector<Task<absl::Status>> tasks;
  for (int i = 0; i < 8; ++i) {
    tasks.push_back(runtime::RunOn(&world->loop(i % 2), CommitOften(truetime, 20)));
  }
  for (const absl::Status& status : co_await runtime::WhenAll(std::move(tasks))) {
    if (!status.ok()) co_return status;
  }
  co_await truetime->Close();
  co_return absl::OkStatus();
}

TEST(CommitWait, WorksOnEveryLoop) {
  const std::unique_ptr<RealWorld> world = MakeWorld();
  TrueTimeOptions options;
  options.poll_period = 2ms;
  TrueTime truetime(world.get(), std::make_unique<RestlessSource>(world.get()), options);
  world->RunUntilDone(StartUntilSafe(&truetime));
  EXPECT_EQ(world->RunUntilDone(CommitOnBothLoops(world.get(), &truetime)), absl::OkStatus());
}

}  // namespace
}  // namespace truetime
