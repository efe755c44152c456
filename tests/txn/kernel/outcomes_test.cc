// What is remembered of outcomes, what is looked for in the store, and when they are forgotten.
#include "txn/kernel/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace txn {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TransactionId At(int64_t begun) { return {Timestamp(begun), NodeId(1), 0}; }
Outcome CommittedAt(int64_t timestamp) { return Outcome::Committed(Timestamp(timestamp)); }

TEST(Outcomes, TheNewestAreKnownWithoutTheStore) {
  Outcomes outcomes(2);
  for (const int64_t begun : {10, 20, 30}) outcomes.Add(At(begun), CommittedAt(begun + 1), {});
  // Not written yet: the store would not know them.
  ASSERT_NE(outcomes.Find(At(10)).outcome, nullptr);
  outcomes.Written();
  EXPECT_FALSE(outcomes.Find(At(10)).certain);
  EXPECT_EQ(*outcomes.Find(At(20)).outcome, CommittedAt(21));
  EXPECT_EQ(*outcomes.Find(At(30)).outcome, CommittedAt(31));
  // In between, and above: nothing has ended there.
  for (const int64_t begun : {25, 99}) {
    EXPECT_TRUE(outcomes.Find(At(begun)).certain);
    EXPECT_EQ(outcomes.Find(At(begun)).outcome, nullptr);
  }
  EXPECT_FALSE(outcomes.Find(At(5)).certain);
}

TEST(Outcomes, AfterARestartOnlyWhatIsAboveTheNewestIsCertain) {
  Outcomes outcomes(10);
  outcomes.Restore({.newest = At(30)}, {});
  EXPECT_FALSE(outcomes.Find(At(30)).certain);
  EXPECT_FALSE(outcomes.Find(At(10)).certain);
  EXPECT_TRUE(outcomes.Find(At(31)).certain);
}

TEST(Outcomes, WhatSomebodyWaitsForIsNotSwept) {
  Outcomes outcomes(10);
  outcomes.Add(At(10), CommittedAt(11), {GroupId(2)});
  outcomes.Add(At(20), CommittedAt(21), {});
  outcomes.Add(At(30), CommittedAt(31), {});
  outcomes.Written();
  outcomes.ForgetBefore(Timestamp(30));
  EXPECT_TRUE(outcomes.TooOld(At(20)));
  EXPECT_FALSE(outcomes.TooOld(At(30)));
  EXPECT_THAT(outcomes.Sweep({At(10), At(20)}, 100), ElementsAre(At(20)));
  EXPECT_TRUE(outcomes.swept());
  EXPECT_NE(outcomes.Find(At(10)).outcome, nullptr);
  EXPECT_EQ(outcomes.Find(At(20)).outcome, nullptr);
  // It goes when nobody waits any more.
  const Outcomes::Removal removal = outcomes.Forget(At(10));
  EXPECT_TRUE(removal.waiting && removal.outcome);
  EXPECT_EQ(outcomes.Find(At(10)).outcome, nullptr);
  EXPECT_FALSE(outcomes.Forget(At(10)).waiting);
}

TEST(Outcomes, TheMarkDoesNotGoBack) {
  Outcomes outcomes(10);
  outcomes.ForgetBefore(Timestamp(30));
  outcomes.ForgetBefore(Timestamp(20));
  EXPECT_TRUE(outcomes.TooOld(At(29)));
}

// The same three outcomes, written by this batch or by an earlier one.
TEST(Outcomes, SweepsTheSameWhereverTheBatchBegan) {
  for (int written = 0; written <= 3; ++written) {
    Outcomes outcomes(0);
    std::vector<TransactionId> stored;
    for (int i = 0; i < 3; ++i) {
      const TransactionId id = At(10 * (i + 1));
      outcomes.Add(id, CommittedAt(1000), {});
      if (i < written) stored.push_back(id);
      if (i + 1 == written) outcomes.Written();
    }
    outcomes.ForgetBefore(Timestamp(100));
    EXPECT_THAT(outcomes.Sweep(stored, 2), ElementsAre(At(10), At(20)));
    EXPECT_EQ(outcomes.marks().swept_before, At(30));
    EXPECT_FALSE(outcomes.swept());
    EXPECT_TRUE(outcomes.Find(At(10)).certain) << "it is still in the store";
    EXPECT_EQ(outcomes.Find(At(10)).outcome, nullptr);
    outcomes.Written();
    EXPECT_THAT(outcomes.Sweep({At(30)}, 2), ElementsAre(At(30)));
    EXPECT_THAT(outcomes.Sweep({}, 2), IsEmpty());
  }
}

}  // namespace
}  // namespace txn
