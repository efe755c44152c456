// Task, TaskScope and cancellation: how coroutines run, wait, end and are stopped.
#include "runtime/task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "runtime/when.h"
#include "tests/runtime/inline_executor.h"

namespace runtime {
namespace {

using ::testing::ElementsAre;
using Lines = std::vector<std::string>;

class TaskTest : public ::testing::Test {
 protected:
  ~TaskTest() override {
    executor_.Do([&] { scope_.Cancel(); });
    executor_.RunFor(3600s);
  }

  // Runs the task until nothing more happens within `length` of virtual time.
  void Run(Task<void> task, Duration length = 1s) {
    executor_.Do([&] { scope_.Spawn(std::move(task)); });
    executor_.RunFor(length);
  }

  InlineExecutor executor_;
  TaskScope scope_{executor_};
  Lines lines_;
};

Task<int> Two() { co_return 2; }
Task<int> Sum(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await Two();
  co_return sum;
}

Task<void> StoreSum(int count, int* sum) { *sum = co_await Sum(count); }

TEST_F(TaskTest, AwaitsThatDoNotWaitNeedNoTurnOfTheLoopAndNoStack) {
  int sum = 0;
  Run(StoreSum(1'000'000, &sum), Duration::zero());
  EXPECT_EQ(sum, 2'000'000);
}

}  // namespace
}  // namespace runtime
