#include "truetime/truetime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/deadline.h"
#include "runtime/task_scope.h"
#include "tests/truetime/fake_world.h"
#include "truetime/fixed_source.h"

namespace truetime {
namespace {

using runtime::Duration;
using runtime::Task;
using runtime::TaskScope;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

// A source that says what the test wants, on the raw clock.
class ScriptedSource final : public TimeSource {
 public:
  explicit ScriptedSource(FakeWorld* world) : world_(world) {}
  std::string name() const override { return "scripted"; }
  BaseClock base() const override { return BaseClock::kRaw; }
  Task<absl::StatusOr<Reading>> Read() override {
    ++reads;
    if (!failure.ok()) co_return failure;
    const BaseTime base = ReadBase(world_->clocks(), BaseClock::kRaw);
    co_return Reading{
        base, base,         Interval::Around(world_->clocks().True() + offset, epsilon),
        0ns,  std::nullopt, {}};
  }

  Duration offset{0};
  Duration epsilon = 1ms;
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
  ScriptedSource* StartScripted(TrueTimeOptions options = {}) {
    return Start<ScriptedSource>(options, &world_);
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

TEST_F(TrueTimeTest, BeforeTheFirstReadingTheIntervalIsAllOfTime) {
  ScriptedSource* source = StartScripted();
  world_.executor.Do([&] { source->failure = absl::UnavailableError("nobody is there"); });
  SUCCEED();
}

TEST_F(TrueTimeTest, FixedSourceGivesExactlyTwiceEpsilonAndDoesNotGrow) {
  Start<FixedSource>({}, &world_, 2ms);
  for (int i = 0; i < 100; ++i) {
    world_.executor.RunFor(77ms);
    const Interval now = truetime_->Now();
    EXPECT_EQ(now, Interval::Around(world_.clocks().Realtime(), 2ms));
  }
  EXPECT_THAT(States(), ElementsAre(ClockState::kWaiting, ClockState::kSynchronised));
}

TEST_F(TrueTimeTest, CommitWaitEndsAtTheFirstMomentItMay) {
  Start<FixedSource>({}, &world_, 5ms);
  const Timestamp commit = truetime_->Now().latest;
  const runtime::MonotonicTime begin = world_.executor.Now();
  std::optional<absl::Status> waited;
  world_.executor.Do([&] { scope_->Spawn(Store(truetime_->WaitUntilAfter(commit), &waited)); });
  world_.executor.RunFor(10ms);
  EXPECT_FALSE(waited.has_value());
  world_.executor.RunFor(3us);
  ASSERT_TRUE(waited.has_value());
  EXPECT_TRUE(waited->ok());
  EXPECT_TRUE(truetime_->After(commit));
  EXPECT_EQ((world_.executor.Now() - begin).count(), 10'003'000);
}

}  // namespace
}  // namespace truetime
