// What a transaction remembers of its locks, and the order in which a gateway asks replicas.
#include "txn/lock_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/random.h"
#include "tests/trials.h"
#include "tests/txn/walk_seeds.h"
#include "txn/nearest.h"
#include "txn/shard_map.h"

namespace txn {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;
using runtime::NodeId;
using runtime::operator""ms;
using runtime::operator""s;
using storage::GroupId;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr GroupId kGroup{1};

TEST(RangeSet, JoinsWhatOverlapsOrTouches) {
  RangeSet set;
  set.Add({"a", "c"});
  set.Add({"e", "g"});
  EXPECT_FALSE(set.Contains({"a", "g"}));
  set.Add({"c", "e"});
  EXPECT_EQ(set.size(), 1);
  EXPECT_TRUE(set.Contains({"a", "g"}));
  set.Add({"f", ""});
  EXPECT_TRUE(set.Contains({"b", ""}));
  EXPECT_FALSE(set.Contains({"", "b"}));
  set.Add({"", ""});
  EXPECT_EQ(set.size(), 1);
  EXPECT_TRUE(set.Contains({"", ""}));
}

std::string WalkRanges(uint64_t seed) {
  runtime::Random random(seed);
  RangeSet set;
  // Whether each of the keys a, b ... is in it; the last stands for all above.
  std::vector<bool> in(11, false);
  const auto key = [](int64_t i) { return i == 11 ? Key() : Key(1, static_cast<char>('a' + i)); };
  for (int step = 0; step < 20; ++step) {
    const int64_t from = random.Uniform(0, 10);
    const int64_t to = random.Uniform(from + 1, 11);
    const KeyRange range{key(from), key(to)};
    const auto first = in.begin() + from;
    const auto last = in.begin() + to;
    if (random.Chance(0.3)) {
      set.Add(range);
      std::fill(first, last, true);
    } else if (set.Contains(range) != std::all_of(first, last, [](bool one) { return one; })) {
      return "a range is in it, or not";
    }
  }
  return "";
}

TEST(RangeSetWalk, ContainsWhatWasAdded) { WalkSeeds(tests::Trials(2000), WalkRanges); }

TEST(LockLedger, AsksForWhatIsNotHeldAlready) {
  LockLedger ledger;
  const Lock shared{{"a", "f"}, LockMode::kShared};
  const Lock update{PointRange("b"), LockMode::kUpdate};
  EXPECT_THAT(ledger.Missing(kGroup, {shared, update}), ElementsAre(shared, update));
  ledger.At(kGroup);
  EXPECT_FALSE(ledger.Holds(kGroup));
  ledger.Granted(kGroup, {shared, update}, {}, MonotonicTime(1));
  EXPECT_TRUE(ledger.Holds(kGroup));
  EXPECT_THAT(ledger.Missing(kGroup, {shared, update}), IsEmpty());
  const Lock weaker{PointRange("b"), LockMode::kShared};
  const Lock exclusive{PointRange("b"), LockMode::kExclusive};
  const Lock elsewhere{PointRange("f"), LockMode::kShared};
  EXPECT_THAT(ledger.Missing(kGroup, {weaker, exclusive, elsewhere}),
              ElementsAre(exclusive, elsewhere));
  EXPECT_THAT(ledger.Missing(GroupId(2), {weaker}), ElementsAre(weaker));
}

// --- Nearest ---

constexpr MonotonicTime kNow{1'000'000'000'000};

std::vector<uint32_t> Order(const Nearest& nearest, Duration ago,
                            std::optional<NodeId> leader = NodeId(3), MonotonicTime now = kNow) {
  std::vector<uint32_t> nodes;
  for (const Nearest::Candidate& candidate :
       nearest.Order({.group = kGroup,
                      .nodes = {NodeId(1), NodeId(2), NodeId(3)},
                      .self = NodeId(1),
                      .leader = leader,
                      .ago = ago},
                     now)) {
    nodes.push_back(candidate.node.value());
  }
  return nodes;
}

TEST(Nearest, AsksTheOwnNodeForWhatIsOldAndTheLeaderForWhatIsNew) {
  Nearest nearest;
  EXPECT_THAT(Order(nearest, 10s), ElementsAre(1, 2, 3));
  EXPECT_THAT(Order(nearest, 0s), ElementsAre(3, 1, 2));
}

TEST(Nearest, PrefersWhoIsNear) {
  Nearest nearest;
  nearest.Answered(NodeId(2), 80ms, kNow);
  nearest.Answered(NodeId(3), 20ms, kNow);
  EXPECT_THAT(Order(nearest, 10s), ElementsAre(1, 3, 2));
}

TEST(Nearest, AFollowerThatIsLittleBehindIsNearerThanALeaderFarAway) {
  Nearest nearest;
  nearest.Answered(NodeId(3), 100ms, kNow);
  nearest.Behind(kGroup, NodeId(1), 30ms, kNow);
  EXPECT_THAT(Order(nearest, 0s), ElementsAre(1, 3, 2));
  // That was long ago.
  EXPECT_THAT(Order(nearest, 0s, NodeId(3), kNow + 10s), ElementsAre(3, 1, 2));
}

TEST(Nearest, WhoIsSilentComesLastForAWhile) {
  Nearest nearest;
  nearest.Silent(NodeId(1), kNow);
  EXPECT_THAT(Order(nearest, 10s), ElementsAre(2, 3, 1));
  EXPECT_THAT(Order(nearest, 10s, NodeId(3), kNow + 2s), ElementsAre(1, 2, 3));
  nearest.Silent(NodeId(1), kNow);
  nearest.Answered(NodeId(1), 0ms, kNow);
  EXPECT_THAT(Order(nearest, 10s), ElementsAre(1, 2, 3));
}

// --- The map ---

TEST(StaticShardMap, FindsWhoHasTheKeysBelowAnEnd) {
  const StaticShardMap map({{.group = GroupId(1), .range = {"b", "h"}},
                            {.group = GroupId(2), .range = {"h", "p"}},
                            {.group = GroupId(3), .range = {"q", ""}}});
  const auto below = [&map](const Key& end) {
    const std::optional<ShardLocation> found = map.FindBelow(end);
    return found ? found->group.value() : 0;
  };
  EXPECT_EQ(below("b"), 0);
  EXPECT_EQ(below(storage::KeyAfter("b")), 1);
  EXPECT_EQ(below("h"), 1);
  EXPECT_EQ(below("i"), 2);
  EXPECT_EQ(below("p"), 2);
  EXPECT_EQ(below("q"), 0);
  EXPECT_EQ(below("x"), 3);
  EXPECT_EQ(below(""), 3);
}

}  // namespace
}  // namespace txn
