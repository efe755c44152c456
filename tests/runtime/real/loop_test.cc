// The loops of a real world: order of posts and timers, work across loops, the end.
#include "runtime/real/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/blocking.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
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

Task<int> WhichLoop(RealWorld* world) { co_return &Executor::Current() == &world->loop(1) ? 1 : 0; }

Task<std::vector<int>> ThereAndBack(RealWorld* world) {
  std::vector<int> loops;
  loops.push_back(co_await runtime::RunOn(&world->loop(1), WhichLoop(world)));
  loops.push_back(co_await WhichLoop(world));
  co_return loops;
}

TEST(Loop, RunsTasksOfOtherLoopsAndBringsTheirResultsBack) {
  auto world = TestWorld();
  EXPECT_THAT(world->RunUntilDone(ThereAndBack(world.get())), ElementsAre(1, 0));
}

Task<absl::Status> WaitForNothing() {
  runtime::Event never;
  co_return co_await never.Wait();
}

Task<absl::Status> CancelOnAnotherLoop(RealWorld* world) {
  co_return co_await runtime::WithTimeout(5ms, runtime::RunOn(&world->loop(1), WaitForNothing()));
}

TEST(Loop, CancellationReachesTasksOnOtherLoops) {
  auto world = TestWorld();
  EXPECT_EQ(world->RunUntilDone(CancelOnAnotherLoop(world.get())).code(),
            absl::StatusCode::kDeadlineExceeded);
}

// A loop that is kept busy by each kind of work must still do the others.
Task<bool> PostsTimersAndTasksSideBySide() {
  bool stop = false;
  int posts = 0;
  std::function<void()> post_again = [&] {
    ++posts;
    Executor& loop = Executor::Current();
    if (!stop) loop.Post([&post_again] { post_again(); });
  };
  post_again();
  for (int i = 0; i < 50; ++i) {
    (void)co_await runtime::SleepFor(100us);
    (void)co_await runtime::Yield();
  }
  stop = true;
  (void)co_await runtime::SleepFor(1ms);  // Until the last post has run.
  co_return posts > 50;
}

TEST(Loop, StarvesNobody) {
  auto world = TestWorld();
  EXPECT_TRUE(world->RunUntilDone(PostsTimersAndTasksSideBySide()));
}

Task<bool> BlockSideBySide(RealWorld* world) {
  // More calls than helper threads: each waits for its turn, and all end.
  std::vector<Task<int>> calls;
  for (int i = 0; i < 20; ++i) {
    calls.push_back(runtime::RunBlocking(&world->blocking(), [i] { return i; }));
  }
  const std::vector<int> results = co_await runtime::WhenAll(std::move(calls));
  bool right = true;
  for (int i = 0; i < 20; ++i) right = right && results[static_cast<size_t>(i)] == i;
  co_return right;
}

TEST(HelperThreads, RunMoreCallsThanThereAreThreads) {
  auto world = TestWorld();
  EXPECT_TRUE(world->RunUntilDone(BlockSideBySide(world.get())));
}

Task<bool> BlockUnderACancelledScope(RealWorld* world) {
  runtime::CancelScope scope;
  scope.Cancel();
  co_return co_await runtime::Under(&scope,
                                    runtime::RunBlocking(&world->blocking(), [] { return true; }));
}

TEST(HelperThreads, FinishWhatTheyWereAskedForThoughTheCallerIsCancelled) {
  auto world = TestWorld();
  EXPECT_TRUE(world->RunUntilDone(BlockUnderACancelledScope(world.get())));
}

TEST(Loop, ManyThreadsPostAndNothingIsLost) {
  auto world = TestWorld();
  constexpr int kPosts = 2000;
  std::atomic<int> left = 4 * kPosts;
  std::promise<void> done;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kPosts; ++j) {
        world->loop(j % 2).Post([&] {
          if (--left == 0) done.set_value();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.get_future().wait();
}

// The way of gRPC's threads: they run the loop that they bring something to.
TEST(Loop, ManyGuestsRunItOneAtATime) {
  Loop loop(/*seed=*/1);
  ASSERT_TRUE(loop.Start().ok());
  constexpr int kPieces = 5000;
  int count = 0;  // The loop's, so it needs no lock.
  std::promise<void> done;
  std::vector<std::thread> guests;
  for (int i = 0; i < 4; ++i) {
    guests.emplace_back([&] {
      for (int j = 0; j < kPieces; ++j) {
        loop.Deliver([&] {
          if (++count == 4 * kPieces) done.set_value();
        });
      }
    });
  }
  for (std::thread& guest : guests) guest.join();
  done.get_future().wait();
  loop.Stop();
  loop.DropAll([] {});
}

TEST(Loop, DropsWorkUnrunWhenItHasStopped) {
  auto owned = std::make_shared<int>(1);
  Loop loop(/*seed=*/1);
  ASSERT_TRUE(loop.Start().ok());
  loop.Stop();
  loop.Post([owned] { FAIL() << "a stopped loop ran something"; });
  loop.Deliver([owned] { FAIL() << "a stopped loop ran something"; });
  loop.DropAll([] {});
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace real
