// The loops of a real world: order of posts and timers, work across loops, the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "runtime/blocking.h"
#include "runtime/event.h"
#include "runtime/one_shot.h"
#include "runtime/real/real_world.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;
using runtime::Executor;
using runtime::MonotonicTime;
using runtime::Task;
using testing::ElementsAre;

Task<std::vector<int>> PostInOrder(Executor* loop) {
  std::vector<int> seen;
  runtime::Event all_run;
  for (int i = 0; i < 5; ++i) {
    loop->Post([&seen, &all_run, i] {
      seen.push_back(i);
      if (i == 4) all_run.Set();
    });
  }
  (void)co_await all_run.Wait();
  co_return seen;
}

TEST(Loop, RunsPostsInTheOrderTheyCame) {
  auto world = TestWorld();
  EXPECT_THAT(world->RunUntilDone(PostInOrder(&world->loop(0))), ElementsAre(0, 1, 2, 3, 4));
}

Task<void> Sleeper(MonotonicTime until, int name, std::vector<int>* woken) {
  (void)co_await runtime::SleepUntil(until);
  woken->push_back(name);
}

Task<std::vector<int>> SleepInDisorder() {
  std::vector<int> woken;
  const MonotonicTime now = Executor::Current().Now();
  runtime::TaskScope scope(Executor::Current());
  for (const int i : {3, 1, 4, 2, 0}) scope.Spawn(Sleeper(now + i * 2ms, i, &woken));
  co_await scope.Join();
  co_return woken;
}

TEST(Loop, WakesSleepersInTheOrderOfTheirTimes) {
  EXPECT_THAT(TestWorld()->RunUntilDone(SleepInDisorder()), ElementsAre(0, 1, 2, 3, 4));
}

Task<bool> SleepReachesItsTime() {
  const MonotonicTime until = Executor::Current().Now() + 3ms;
  (void)co_await runtime::SleepUntil(until);
  co_return Executor::Current().Now() >= until;
}

TEST(Loop, NeverWakesEarly) {
  auto world = TestWorld();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(world->RunUntilDone(SleepReachesItsTime()));
}

}  // namespace
}  // namespace real
