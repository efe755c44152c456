#include "truetime/taint_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace truetime {
namespace {

using runtime::Timestamp;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(TaintList, ListsWhatWasStampedSinceTheLastProof) {
  TaintList taints(10);
  taints.Stamped(Timestamp(1));
  taints.Proven(taints.Mark());
  taints.Stamped(Timestamp(2));
  const uint64_t mark = taints.Mark();
  taints.Stamped(Timestamp(3));
  EXPECT_EQ(taints.since_proof(), 2u);
  taints.Taint();
  EXPECT_THAT(taints.tainted(), ElementsAre(Timestamp(2), Timestamp(3)));
  taints.Proven(mark);  // Too late, and nothing is tainted twice.
  taints.Taint();
  EXPECT_THAT(taints.tainted(), ElementsAre(Timestamp(2), Timestamp(3)));
  EXPECT_EQ(taints.dropped(), 0u);
}

TEST(TaintList, AProofForEarlierOnesLeavesLaterOnes) {
  TaintList taints(10);
  taints.Stamped(Timestamp(1));
  const uint64_t mark = taints.Mark();
  taints.Stamped(Timestamp(2));
  taints.Proven(mark);
  taints.Taint();
  EXPECT_THAT(taints.tainted(), ElementsAre(Timestamp(2)));
}

TEST(TaintList, SaysHowManyItDropped) {
  TaintList taints(3);
  for (int64_t commit = 1; commit <= 5; ++commit) taints.Stamped(Timestamp(commit));
  taints.Taint();
  EXPECT_THAT(taints.tainted(), ElementsAre(Timestamp(3), Timestamp(4), Timestamp(5)));
  EXPECT_EQ(taints.dropped(), 2u);
  taints.Stamped(Timestamp(6));
  taints.Taint();
  EXPECT_THAT(taints.tainted(), ElementsAre(Timestamp(4), Timestamp(5), Timestamp(6)));
  EXPECT_EQ(taints.dropped(), 3u);
}

TEST(TaintList, NothingStampedMeansNothingTainted) {
  TaintList taints(3);
  taints.Taint();
  EXPECT_THAT(taints.tainted(), IsEmpty());
}

TEST(TaintList, StampsFromManyThreadsAreAllAccountedFor) {
  TaintList taints(1000);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&taints] {
      for (int i = 0; i < 5000; ++i) taints.Stamped(Timestamp(i + 1));
    });
  }
  for (int i = 0; i < 50; ++i) taints.Taint();
  for (std::thread& thread : threads) thread.join();
  taints.Taint();
  EXPECT_EQ(taints.tainted().size() + taints.dropped(), 20'000u);
  for (const Timestamp commit : taints.tainted()) {
    EXPECT_GE(commit, Timestamp(1));
    EXPECT_LE(commit, Timestamp(5000));
  }
}

}  // namespace
}  // namespace truetime
