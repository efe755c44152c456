#include "truetime/kernel/contradiction_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace truetime {
namespace {

using runtime::NodeId;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

constexpr NodeId kB{2};
constexpr NodeId kC{3};
constexpr NodeId kD{4};

class ContradictionDetectorTest : public testing::Test {
 protected:
  Timestamp True() const { return Timestamp(1'700'000'000'000'000'000) + (now_ - MonotonicTime()); }
  Interval Claim(Duration off, Duration epsilon = 1ms) const {
    return Interval::Around(True() + off, epsilon);
  }
  Interval OneSided(Duration off) const { return {True() + off - 1ms, Timestamp::Max()}; }
  ContradictionDetector::Verdict Hear(NodeId peer, Interval claim) {
    return detector_.Observe(peer, claim, now_, Claim(own_off_));
  }
  ContradictionDetector::Verdict Judge() { return detector_.Judge(now_, Claim(own_off_)); }

  MonotonicTime now_{1'000'000'000};
  Duration own_off_{0};
  ContradictionDetector detector_{{.forget_after = 30s, .inside_for = 2s}};
};

TEST(ClaimOf, AStampOfUnknownAgeOnlyBoundsFromBelow) {
  const runtime::ClockStamp stamp = {Timestamp(100), Timestamp(200)};
  EXPECT_EQ(ClaimOf(stamp, std::nullopt, Drift::None()),
            (Interval{Timestamp(100), Timestamp::Max()}));
  EXPECT_EQ(ClaimOf(stamp, 50ns, Drift::None()), (Interval{Timestamp(100), Timestamp(250)}));
  EXPECT_EQ(ClaimOf({Timestamp(0), Timestamp(0)}, 1s, Drift::FromPpm(200)).latest.nanoseconds(),
            1'000'200'042);
}

TEST_F(ContradictionDetectorTest, TwoNodesThatDisagreeAreAContradictionWithoutALiar) {
  const auto verdict = Hear(kB, Claim(10ms));
  EXPECT_FALSE(verdict.outside);
  EXPECT_FALSE(verdict.proven);
  EXPECT_THAT(detector_.liars(), IsEmpty());
  ASSERT_EQ(detector_.contradictions().size(), 1u);
  EXPECT_EQ(detector_.contradictions().front().peer, kB);
  EXPECT_EQ(detector_.contradictions().front().claim, Claim(10ms));
  EXPECT_EQ(detector_.contradictions().front().own, Claim(0ms));
}

TEST_F(ContradictionDetectorTest, AMajorityNamesTheLiar) {
  EXPECT_TRUE(Hear(kB, Claim(0ms)).proven);
  const auto verdict = Hear(kC, Claim(10ms));
  EXPECT_THAT(detector_.liars(), ElementsAre(kC));
  EXPECT_TRUE(verdict.liars_changed);
  EXPECT_TRUE(verdict.proven);
  EXPECT_FALSE(verdict.outside);
}

TEST_F(ContradictionDetectorTest, ALiarAheadIsNamedFromOneWayMessagesToo) {
  Hear(kB, Claim(0ms));
  Hear(kC, OneSided(10ms));
  EXPECT_THAT(detector_.liars(), ElementsAre(kC));
}

TEST_F(ContradictionDetectorTest, OneWayMessagesAloneProveNothing) {
  EXPECT_FALSE(Hear(kB, OneSided(0ms)).proven);
  EXPECT_FALSE(Hear(kC, OneSided(0ms)).proven);
}

TEST_F(ContradictionDetectorTest,
       ThisNodeOutsideTheMajorityIsTheLiarUntilItHasBeenInsideForAWhile) {
  own_off_ = -10ms;
  EXPECT_FALSE(Hear(kB, Claim(0ms)).outside);
  EXPECT_TRUE(Hear(kC, Claim(0ms)).outside);
  EXPECT_THAT(detector_.liars(), IsEmpty());
  now_ = now_ + 1s;
  own_off_ = 0ms;
  EXPECT_TRUE(Judge().outside);
  now_ = now_ + 1900ms;
  EXPECT_TRUE(Judge().outside);
  now_ = now_ + 200ms;
  EXPECT_FALSE(Judge().outside);
}

TEST_F(ContradictionDetectorTest, GoingOutsideAgainBeginsTheWhileAnew) {
  own_off_ = 10ms;
  Hear(kB, Claim(0ms));
  Hear(kC, Claim(0ms));
  own_off_ = 0ms;
  Judge();
  now_ = now_ + 1500ms;
  own_off_ = 10ms;
  EXPECT_TRUE(Judge().outside);
  own_off_ = 0ms;
  now_ = now_ + 1500ms;
  EXPECT_TRUE(Judge().outside);
  now_ = now_ + 2100ms;
  EXPECT_FALSE(Judge().outside);
}

TEST_F(ContradictionDetectorTest, WhoTouchesSomeMajorityIsNotNamed) {
  // The wide clock overlaps both narrow ones, which are disjoint: either may be the liar.
  own_off_ = -2ms;
  Hear(kB, Claim(0ms, 5ms));
  Hear(kC, Claim(2ms));
  EXPECT_THAT(detector_.liars(), IsEmpty());
  EXPECT_FALSE(Judge().outside);
  // A fourth node decides.
  EXPECT_TRUE(Hear(kD, Claim(2ms)).outside);
}

TEST_F(ContradictionDetectorTest, ClaimsAreCarriedOnByTheDrift) {
  Hear(kB, Claim(0ms));
  Hear(kC, Claim(5ms));
  EXPECT_THAT(detector_.liars(), ElementsAre(kC));
  now_ = now_ + 15s;  // 3 ms on each side: they could all be right.
  Judge();
  EXPECT_THAT(detector_.liars(), IsEmpty());
}

TEST_F(ContradictionDetectorTest, ASilentPeerIsForgotten) {
  Hear(kB, Claim(0ms));
  EXPECT_EQ(detector_.known_nodes(), 2u);
  now_ = now_ + 31s;
  EXPECT_FALSE(Judge().proven);
  EXPECT_EQ(detector_.known_nodes(), 1u);
}

TEST_F(ContradictionDetectorTest, APeerThatTakesItsClaimBackIsJudgedByTheNewOne) {
  Hear(kB, Claim(0ms));
  Hear(kC, Claim(0ms));
  Hear(kC, OneSided(1s));
  EXPECT_THAT(detector_.liars(), ElementsAre(kC));
}

TEST_F(ContradictionDetectorTest, ANodeWithoutAReadingIsNotJudged) {
  EXPECT_FALSE(detector_.Observe(kB, Claim(0ms), now_, Interval()).outside);
  EXPECT_FALSE(detector_.Observe(kC, Claim(0ms), now_, Interval()).proven);
}

TEST_F(ContradictionDetectorTest, NonsenseFromOutsideHurtsNobody) {
  Hear(kB, {Timestamp(5), Timestamp(1)});
  Hear(kC, {Timestamp::Max(), Timestamp::Max()});
  Hear(kD, {Timestamp::Min(), Timestamp::Min()});
  Judge();
}

TEST_F(ContradictionDetectorTest, TheMemoryIsBounded) {
  ContradictionDetector small({.peers_max = 3});
  for (uint32_t node = 2; node < 200; ++node) {
    small.Observe(NodeId(node), Claim(10ms), now_, Claim(0ms));
  }
  EXPECT_EQ(small.known_nodes(), 4u);
  EXPECT_EQ(small.contradictions().size(), ContradictionDetector::kContradictionsMax);
  EXPECT_EQ(small.contradictions().back().peer, NodeId(199));
}

}  // namespace
}  // namespace truetime
