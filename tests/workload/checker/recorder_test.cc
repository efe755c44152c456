// A history as a workload in this process records it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workload/checker/check.h"
#include "workload/checker/history_builder.h"

namespace checker {
namespace {

TEST(HistoryRecorder, RecordsWhatCheckReads) {
  HistoryRecorder recorder;
  recorder.Invoke(0, {Append("x", 1), Read("y")}, 100);
  recorder.Invoke(1, {Append("y", 2), Read("x")}, 110);
  recorder.Ok(0, {Append("x", 1), ReadList("y", {})}, 120, {.commit_timestamp = 7});
  recorder.Ok(1, {Append("y", 2), ReadList("x", {1})}, 130, {.commit_timestamp = 8});
  recorder.Invoke(2, {Append("x", 3)}, 140);
  recorder.Info(2, 150);
  const History history = recorder.Take();
  EXPECT_EQ(history.transactions().size(), 3);
  EXPECT_EQ(history.event_count(), 6);
  EXPECT_EQ(history.datatype(), Datatype::kLists);
  EXPECT_EQ(DescribeOperations(history, 1), "append y 2, r x [1]");
  EXPECT_EQ(history.transaction(1).commit_timestamp, 8);
  EXPECT_EQ(history.transaction(2).outcome, Outcome::kInfo);
  EXPECT_TRUE(Check(history, {})->valid());
  EXPECT_TRUE(Check(history, {.timestamps = true})->valid());
}

TEST(HistoryRecorder, IsEmptyAfterTake) {
  HistoryRecorder recorder;
  recorder.Invoke(0, {Write("x", 1)});
  recorder.Fail(0);
  EXPECT_EQ(recorder.Take().transactions().size(), 1);
  recorder.Invoke(0, {Write("x", 1)});
  EXPECT_EQ(recorder.Take().transactions().size(), 1);
}

TEST(HistoryRecorderDeathTest, CallsWhatCannotBeOurMistake) {
  HistoryRecorder recorder;
  EXPECT_DEATH(recorder.Fail(3), "process 3 ends a transaction, but it has none that is open");
}

TEST(Check, RefusesAValueThatIsWrittenTwice) {
  HistoryRecorder recorder;
  recorder.Invoke(0, {Write("x", 1)});
  recorder.Ok(0, {Write("x", 1)}, 0, {.commit_timestamp = 1});
  recorder.Invoke(0, {Write("x", 1)});
  recorder.Ok(0, {Write("x", 1)}, 0, {.commit_timestamp = 2});
  const History history = recorder.Take();
  EXPECT_EQ(Check(history, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Check(history, {.timestamps = true})->valid());
}

}  // namespace
}  // namespace checker
