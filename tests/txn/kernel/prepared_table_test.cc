// The prepared table and what it says of safe times, by example.
#include "txn/kernel/prepared_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "txn/kernel/last_commits.h"

namespace txn {
namespace {

using testing::ElementsAre;

PreparedTable::Entry Prepared(uint64_t sequence, int64_t timestamp, std::vector<Key> keys) {
  PreparedTransaction one{.id = {Timestamp(1), NodeId(1), sequence},
                          .age = {},
                          .timestamp = Timestamp(timestamp),
                          .coordinator = GroupId(9)};
  for (Key& key : keys) one.writes.push_back({std::move(key), "v"});
  return std::make_shared<const PreparedTransaction>(std::move(one));
}

// Corbett et al. 2012, 4.1.3: t_TM_safe is just below the smallest prepare timestamp.
TEST(PreparedTable, HoldsBackOnlyTheKeysThatItWrites) {
  PreparedTable table;
  table.Add(Prepared(1, 100, {"b", "f"}));
  table.Add(Prepared(2, 50, {"d"}));
  const struct {
    KeyRange range;
    Timestamp safe;
  } cases[] = {
      {PointRange("b"), Timestamp(99)},    {PointRange("d"), Timestamp(49)},
      {PointRange("a"), Timestamp::Max()}, {{"b", "d"}, Timestamp(99)},  // The end is not in it.
      {{"b", "e"}, Timestamp(49)},         {{"e", ""}, Timestamp(99)},   // Without an end.
      {{"g", ""}, Timestamp::Max()},       {{}, Timestamp(49)},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(table.SafeTime(one.range), one.safe) << one.range.start << " " << one.range.end;
  }
  EXPECT_EQ(table.SafeTime(), Timestamp(49));
  table.Remove({Timestamp(1), NodeId(1), 2});
  EXPECT_EQ(table.SafeTime({}), Timestamp(99));
  EXPECT_EQ(table.SafeTime(PointRange("d")), Timestamp::Max());
}

TEST(PreparedTable, OneThatWritesNothingHoldsBackNoRead) {
  PreparedTable table;
  table.Add(Prepared(1, 100, {}));
  EXPECT_EQ(table.SafeTime({}), Timestamp::Max());
  // But the horizon stays below it.
  EXPECT_EQ(table.SafeTime(), Timestamp(99));
}

TEST(PreparedTable, LocksWhatItWritesAndWhatItLockedBesides) {
  PreparedTransaction one = *Prepared(1, 100, {"b"});
  one.locks = {{"m", "p"}};
  EXPECT_THAT(ExclusiveRanges(one), ElementsAre(KeyRange{"m", "p"}, PointRange("b")));
}

TEST(PreparedTableDeathTest, TwoDoNotWriteTheSameKey) {
  PreparedTable table;
  table.Add(Prepared(1, 100, {"b"}));
  EXPECT_DEATH(table.Add(Prepared(2, 110, {"a", "b"})), "PreparedTable inv 1");
}

// Corbett et al. 2012, 4.2.4: LastTS(), finer than one for all keys.
TEST(LastCommits, KnowsTheLastCommitOfEachRange) {
  LastCommits commits(10);
  commits.Reset(Timestamp(100));
  commits.Add("b", Timestamp(200));
  commits.Add("d", Timestamp(150));
  EXPECT_EQ(commits.LastIn(PointRange("b")), Timestamp(200));
  EXPECT_EQ(commits.LastIn(PointRange("d")), Timestamp(150));
  EXPECT_EQ(commits.LastIn({"c", ""}), Timestamp(150));
  EXPECT_EQ(commits.LastIn({}), Timestamp(200));
  // Nothing was committed there since it began.
  EXPECT_EQ(commits.LastIn(PointRange("c")), Timestamp(100));
}

TEST(LastCommits, WhatIsForgottenCountsAsWrittenAtTheMark) {
  LastCommits commits(2);
  commits.Add("a", Timestamp(10));
  commits.Add("b", Timestamp(20));
  commits.Add("a", Timestamp(30));  // Known already: nothing has to go.
  EXPECT_EQ(commits.LastIn(PointRange("x")), Timestamp::Min());
  commits.Add("c", Timestamp(40));
  EXPECT_EQ(commits.LastIn(PointRange("b")), Timestamp(20));
  EXPECT_EQ(commits.LastIn(PointRange("x")), Timestamp(20));
  EXPECT_EQ(commits.LastIn(PointRange("a")), Timestamp(30));
}

}  // namespace
}  // namespace txn
