// Task, TaskScope, cancellation, deadlines: how coroutines run, wait, end and are stopped.
#include "runtime/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/one_shot.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "runtime/when.h"
#include "tests/runtime/inline_executor.h"

namespace runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using Lines = std::vector<std::string>;

class TaskTest : public ::testing::Test {
 protected:
  ~TaskTest() override {
    executor_.Do([&] { scope_.Cancel(); });
    executor_.RunFor(3600s);
  }

  // Spawns the task and lets `length` of virtual time pass.
  void Run(Task<void> task, Duration length = 1s) {
    executor_.Do([&] { scope_.Spawn(std::move(task)); });
    executor_.RunFor(length);
  }

  InlineExecutor executor_;
  TaskScope scope_{executor_};
  Lines lines_;
};

Task<int> Two() { co_return 2; }

Task<void> SumOfTwos(int count, int* sum) {
  for (int i = 0; i < count; ++i) *sum += co_await Two();
}

TEST_F(TaskTest, AnAwaitThatDoesNotWaitNeedsNoTurnOfTheLoopAndNoStack) {
  int sum = 0;
  Run(SumOfTwos(1'000'000, &sum), Duration::zero());
  EXPECT_EQ(sum, 2'000'000);
}

Task<absl::Status> SleepAndSay(Duration length, std::string what, Lines* lines) {
  absl::Status slept = co_await SleepFor(length);
  lines->push_back(slept.ok() ? what : what + ": " + std::string(slept.message()));
  co_return slept;
}

Task<void> Say(Duration length, std::string what, Lines* lines) {
  (co_await SleepAndSay(length, std::move(what), lines)).IgnoreError();
}

TEST_F(TaskTest, SleepersWakeInTheOrderOfTheirTimes) {
  executor_.Do([&] {
    scope_.Spawn(Say(30ms, "third", &lines_));
    scope_.Spawn(Say(10ms, "first", &lines_));
    scope_.Spawn(Say(20ms, "second", &lines_));
  });
  executor_.RunFor(25ms);
  EXPECT_THAT(lines_, ElementsAre("first", "second"));
  executor_.RunFor(5ms);
  EXPECT_THAT(lines_, ElementsAre("first", "second", "third"));
}

TEST_F(TaskTest, SpawnDoesNotRunTheTaskInsideTheCall) {
  executor_.Do([&] {
    scope_.Spawn([](Lines* lines) -> Task<void> {
      lines->push_back("task");
      co_return;
    }(&lines_));
    lines_.push_back("after spawn");
  });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("after spawn", "task"));
}

TEST_F(TaskTest, CancellingAScopeEndsItsWaitsWithTheReason) {
  Run(Say(10s, "sleeper", &lines_), 1s);
  executor_.Do([&] { scope_.Cancel(absl::AbortedError("shutting down")); });
  EXPECT_THAT(lines_, ElementsAre()) << "nothing runs inside Cancel()";
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("sleeper: shutting down"));
}

TEST_F(TaskTest, AWaitUnderACancelledScopeEndsAtOnce) {
  executor_.Do([&] {
    scope_.Cancel(absl::AbortedError("too late"));
    scope_.Spawn(Say(10s, "sleeper", &lines_));
  });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("sleeper: too late"));
}

Task<void> CloseScope(TaskScope* scope, Lines* lines) {
  co_await scope->Close();
  lines->push_back("closed");
}

TEST_F(TaskTest, CloseCancelsAndWaitsForEveryTask) {
  InlineExecutor& executor = executor_;
  auto background = std::make_unique<TaskScope>(executor);
  executor.Do([&] {
    background->Spawn(Say(10s, "a", &lines_));
    background->Spawn(Say(20s, "b", &lines_));
  });
  executor.Run();
  Run(CloseScope(background.get(), &lines_));
  EXPECT_THAT(lines_, ElementsAre("a: the scope of this task was cancelled",
                                  "b: the scope of this task was cancelled", "closed"));
  EXPECT_EQ(background->size(), 0u);
}

Task<void> ParentWithLocalScope(Lines* lines) {
  TaskScope scope(Executor::Current(), co_await CurrentCancelScope());
  scope.Spawn(Say(10s, "child", lines));
  co_await scope.Join();
  lines->push_back("joined");
}

TEST_F(TaskTest, AScopeInATaskIsCancelledWithIt) {
  Run(ParentWithLocalScope(&lines_));
  executor_.Do([&] { scope_.Cancel(absl::AbortedError("stop")); });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("child: stop", "joined"));
}

Task<void> WithinTwoSeconds(Duration work, Lines* lines) {
  absl::Status status = co_await WithTimeout(2s, SleepAndSay(work, "work", lines));
  lines->push_back(std::string(absl::StatusCodeToString(status.code())));
  // The deadline was the work's alone.
  (co_await SleepAndSay(1s, "afterwards", lines)).IgnoreError();
}

TEST_F(TaskTest, ADeadlineEndsTheWaitsBelowItAndNoOthers) {
  Run(WithinTwoSeconds(3s, &lines_), 10s);
  EXPECT_THAT(lines_,
              ElementsAre("work: the deadline has passed", "DEADLINE_EXCEEDED", "afterwards"));
}

TEST_F(TaskTest, WorkWithinItsDeadlineIsNotDisturbed) {
  Run(WithinTwoSeconds(1s, &lines_), 10s);
  EXPECT_THAT(lines_, ElementsAre("work", "OK", "afterwards"));
}

Task<void> CleanUpAfter(Lines* lines) {
  (co_await SleepAndSay(10s, "work", lines)).IgnoreError();
  (co_await Shielded(SleepAndSay(1s, "clean-up", lines))).IgnoreError();
}

TEST_F(TaskTest, ShieldedWorkOutlivesCancellation) {
  Run(CleanUpAfter(&lines_), 1s);
  executor_.Do([&] { scope_.Cancel(absl::AbortedError("stop")); });
  executor_.RunFor(2s);
  EXPECT_THAT(lines_, ElementsAre("work: stop", "clean-up"));
}

Task<std::string> After(Duration length, std::string value) {
  const absl::Status slept = co_await SleepFor(length);
  co_return slept.ok() ? value : value + " was cancelled";
}

Task<void> AwaitAll(Lines* lines) {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(After(3s, "slow"));
  tasks.push_back(After(1s, "fast"));
  for (std::string& line : co_await WhenAll(std::move(tasks))) lines->push_back(std::move(line));
  auto [word, number] = co_await WhenAll(After(1s, "word"), Two());
  lines->push_back(word + " " + std::to_string(number));
}

TEST_F(TaskTest, WhenAllGivesTheResultsInTheOrderOfTheTasks) {
  Run(AwaitAll(&lines_), 4s);
  EXPECT_THAT(lines_, ElementsAre("slow", "fast", "word 2"));
}

Task<void> AwaitAny(std::vector<std::pair<size_t, std::string>>* winners) {
  std::vector<Task<std::string>> tasks;
  tasks.push_back(After(3s, "slow"));
  tasks.push_back(After(1s, "fast"));
  winners->push_back(co_await WhenAny(std::move(tasks)));
}

TEST_F(TaskTest, WhenAnyGivesTheFirstAndLeavesNobodyRunning) {
  std::vector<std::pair<size_t, std::string>> winners;
  Run(AwaitAny(&winners), 1s);
  EXPECT_THAT(winners, ElementsAre(Pair(1, "fast")));
  EXPECT_EQ(scope_.size(), 0u);
}

// Tells when its frame goes.
struct Witness {
  Lines* lines;
  ~Witness() { lines->push_back("frame destroyed"); }
};

Task<void> HoldWitness(Event* event, Lines* lines) {
  const Witness witness{lines};
  (co_await event->Wait()).IgnoreError();
}

TEST_F(TaskTest, ACrashDestroysTasksWhereTheyStand) {
  InlineExecutor executor;
  Event event;
  TaskScope scope(executor);
  executor.Do([&] { scope.Spawn(HoldWitness(&event, &lines_)); });
  executor.Run();
  executor.Do([&] { executor.DestroyAllTasks(); });
  EXPECT_THAT(lines_, ElementsAre("frame destroyed"));
  executor.Do([&] { event.Set(); });
  executor.Run();
}

// Two executors in turns on one thread, as the simulator has them.
void RunBoth(InlineExecutor* a, InlineExecutor* b, Duration length) {
  for (Duration passed{}; passed <= length; passed += 1ms) {
    for (int turn = 0; turn < 4; ++turn) {
      a->RunFor(Duration::zero());
      b->RunFor(Duration::zero());
    }
    a->RunFor(1ms);
    b->RunFor(1ms);
  }
}

Task<void> RunElsewhere(Executor* target, Lines* lines) {
  Executor* const home = &Executor::Current();
  lines->push_back(co_await RunOn(target, After(5ms, "done over there")));
  lines->push_back(&Executor::Current() == home ? "back home" : "lost");
}

TEST_F(TaskTest, RunOnBringsTheResultBackHome) {
  InlineExecutor other;
  executor_.Do([&] { scope_.Spawn(RunElsewhere(&other, &lines_)); });
  RunBoth(&executor_, &other, 10ms);
  EXPECT_THAT(lines_, ElementsAre("done over there", "back home"));
}

TEST_F(TaskTest, CancellingTheCallerOfRunOnCancelsTheTaskAndAwaitsItsEnd) {
  InlineExecutor other;
  executor_.Do([&] { scope_.Spawn(RunElsewhere(&other, &lines_)); });
  RunBoth(&executor_, &other, 2ms);
  executor_.Do([&] { scope_.Cancel(); });
  RunBoth(&executor_, &other, 2ms);
  EXPECT_THAT(lines_, ElementsAre("done over there was cancelled", "back home"));
}

TEST_F(TaskTest, ATaskThatRunsElsewhereIsCancelledWhenItsCallerIsDestroyed) {
  InlineExecutor other;
  InlineExecutor doomed;
  TaskScope scope(doomed);
  doomed.Do([&] { scope.Spawn(RunElsewhere(&other, &lines_)); });
  RunBoth(&doomed, &other, 2ms);
  doomed.Do([&] { doomed.DestroyAllTasks(); });
  RunBoth(&doomed, &other, 10ms);
  EXPECT_THAT(lines_, ElementsAre());
}

TEST_F(TaskTest, CheckStopsTheProcessWithWhatItSaw) {
  EXPECT_DEATH(CHECK_EQ(1 + 1, 3) << "arithmetic", "CHECK failed.*2 against 3 arithmetic");
  EXPECT_DEATH(Executor::Current(), "outside any event loop");
}

TEST_F(TaskTest, AScopeMayNotEndBeforeItsTasks) {
  EXPECT_DEATH(
      {
        TaskScope scope(executor_);
        executor_.Do([&] { scope.Spawn(Say(1s, "left behind", &lines_)); });
      },
      "a task scope ended with tasks in it");
}

}  // namespace
}  // namespace runtime
