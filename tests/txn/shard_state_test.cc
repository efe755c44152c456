// What each command does to a shard, alone and after others.
#include "txn/shard_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/txn/shard_replica.h"

namespace txn {
namespace {

using testing::HasSubstr;
using Kind = CommandResult::Kind;

const ShardDescriptor kShard{.range = {"b", "x"}, .generation = 3};
const TransactionId kId = IdOf(1000, 1);
const TransactionId kOther = IdOf(1000, 2);

Prepare PrepareOf(const TransactionId& id, std::vector<Write> writes) {
  return {.id = id, .age = Age::Of(id), .coordinator = GroupId(9), .writes = std::move(writes)};
}
Resolve CommittedAt(const TransactionId& id, int64_t s) {
  return {id, Outcome::Committed(Timestamp(s))};
}
Resolve AbortedOf(const TransactionId& id) { return {id, Outcome::Aborted("given up")}; }

class ShardStateTest : public testing::Test {
 protected:
  ShardReplica shard_{1, kShard};
};
using ShardStateDeathTest = ShardStateTest;

// --- One group ---

TEST_F(ShardStateTest, CommitWritesAtItsEntrysTimestamp) {
  shard_.Do(Commit{.id = kOther, .writes = {{"c", "old"}, {"d", "old"}}}, 50);
  const CommandResult result =
      shard_.Do(Commit{.id = kId, .writes = {{"c", "new"}, {"d", std::nullopt}}}, 100);
  EXPECT_EQ(result, (CommandResult{.kind = Kind::kCommitted, .timestamp = Timestamp(100)}));
  EXPECT_EQ(shard_.Read("c", 99), "old");
  EXPECT_EQ(shard_.Read("c", 100), "new");
  EXPECT_EQ(shard_.Read("d", 99), "old");
  EXPECT_EQ(shard_.Read("d", 100), "-");
}

// TX-ONCE.
TEST_F(ShardStateTest, CommitThatComesAgainGetsTheSameAnswer) {
  shard_.Do(Commit{.id = kId, .writes = {{"c", "1"}}}, 100);
  for (const bool restarted : {false, true}) {
    if (restarted) shard_.Restore();
    const CommandResult again =
        shard_.Do(Commit{.id = kId, .writes = {{"c", "1"}}}, restarted ? 300 : 200);
    EXPECT_EQ(again.kind, Kind::kCommitted);
    EXPECT_TRUE(again.already);
    EXPECT_EQ(again.timestamp, Timestamp(100));
  }
  EXPECT_EQ(shard_.NewView().Versions("c", Timestamp::Max(), 10)->size(), 1u);
}

// TX-READ-GUARD: the read locks in another group hold through `valid_through`, that moment included.
TEST_F(ShardStateTest, NothingCommitsAfterItsGuardHasPassed) {
  const Timestamp guard(100);
  EXPECT_EQ(shard_.Do(Commit{.id = kId, .writes = {{"c", "1"}}, .valid_through = guard}, 100).kind,
            Kind::kCommitted);
  const CommandResult late =
      shard_.Do(Commit{.id = kOther, .writes = {{"d", "1"}}, .valid_through = guard}, 101);
  EXPECT_EQ(late.kind, Kind::kAborted);
  EXPECT_THAT(late.why, HasSubstr("1 ns after the time until which another shard guarded"));
  EXPECT_EQ(shard_.Read("d", 200), "-");
  // It stays so.
  EXPECT_EQ(shard_.Do(Commit{.id = kOther, .writes = {{"d", "1"}}}, 102).kind, Kind::kAborted);
  const CommandResult decided = shard_.Do(
      Decide{.id = IdOf(1000, 3), .participants = {GroupId(2)}, .valid_through = guard}, 103);
  EXPECT_EQ(decided.kind, Kind::kAborted);
  EXPECT_EQ(shard_.state().outcomes().waiting().size(), 1u)
      << "the participants have to hear of it";
}

TEST_F(ShardStateTest, WritesOutsideOfTheRangeAreRefusedWithTheDescriptor) {
  const std::vector<Write> outside{{"c", "1"}, {"x", "1"}};
  int64_t t = 100;
  for (const ShardCommand& command :
       {ShardCommand(Commit{.id = kId, .writes = outside}),
        ShardCommand(PrepareOf(kId, {{"a", "1"}, {"c", "1"}})),
        ShardCommand(Decide{.id = kId, .writes = outside}),
        ShardCommand(
            Prepare{.id = kId, .age = {}, .coordinator = GroupId(9), .locks = {{"w", "y"}}})}) {
    const CommandResult result = shard_.Do(command, ++t);
    EXPECT_EQ(result.kind, Kind::kWrongRange);
    EXPECT_EQ(result.descriptor, kShard);
  }
  EXPECT_EQ(shard_.Read("c", 200), "-");
  // It was not judged: elsewhere, or with other keys, it may commit.
  EXPECT_EQ(shard_.OutcomeOf(kId), std::nullopt);
}

// --- Several groups (TX-2PC) ---

TEST_F(ShardStateTest, WhatIsPreparedIsSeenWhenItIsResolved) {
  EXPECT_EQ(shard_.Do(PrepareOf(kId, {{"c", "1"}}), 100).kind, Kind::kPrepared);
  EXPECT_EQ(shard_.Read("c", 500), "-");
  const CommandResult again = shard_.Do(PrepareOf(kId, {{"c", "1"}}), 110);
  EXPECT_TRUE(again.already);
  EXPECT_EQ(again.timestamp, Timestamp(100));
  // The entry's timestamp is above the commit's.
  EXPECT_EQ(shard_.Do(CommittedAt(kId, 120), 150).timestamp, Timestamp(120));
  EXPECT_EQ(shard_.Read("c", 119), "-");
  EXPECT_EQ(shard_.Read("c", 120), "1");
  EXPECT_TRUE(shard_.state().prepared().empty());
  EXPECT_TRUE(shard_.Do(CommittedAt(kId, 120), 160).already);
}

TEST_F(ShardStateTest, PreparedSurvivesARestartWithAllThatANewLeaderNeeds) {
  Prepare prepare = PrepareOf(kId, {{"c", "1"}, {"d", std::nullopt}});
  prepare.age = Age::Of(IdOf(7));
  prepare.locks = {{"p", "q"}};
  shard_.Do(prepare, 100);
  shard_.Restore();
  ASSERT_EQ(shard_.state().prepared().size(), 1u);
  const PreparedTransaction& kept = *shard_.state().prepared().at(kId);
  EXPECT_EQ(kept.age, Age::Of(IdOf(7)));
  EXPECT_EQ(kept.timestamp, Timestamp(100));
  EXPECT_EQ(kept.coordinator, GroupId(9));
  EXPECT_THAT(ExclusiveRanges(kept),
              testing::UnorderedElementsAre(PointRange("c"), PointRange("d"), KeyRange{"p", "q"}));
  shard_.Do(CommittedAt(kId, 100), 150);
  EXPECT_EQ(shard_.Read("c", 100), "1");
}

TEST_F(ShardStateTest, OnlyAResolveEndsWhoIsPrepared) {
  shard_.Do(PrepareOf(kId, {{"c", "1"}}), 100);
  EXPECT_EQ(shard_.Do(Abort{.id = kId, .why = "given up"}, 110).kind, Kind::kPrepared);
  EXPECT_EQ(shard_.Do(Commit{.id = kId, .writes = {{"c", "2"}}}, 120).kind, Kind::kPrepared);
  EXPECT_EQ(shard_.Do(Decide{.id = kId}, 130).kind, Kind::kPrepared);
  EXPECT_EQ(shard_.Do(Trim{Timestamp(5000)}, 140).kind, Kind::kDone);
  EXPECT_EQ(shard_.state().prepared().size(), 1u);
  EXPECT_EQ(shard_.Do(AbortedOf(kId), 150).kind, Kind::kAborted);
  EXPECT_TRUE(shard_.state().prepared().empty());
  EXPECT_EQ(shard_.Read("c", 500), "-");
  // It began before what is forgotten: what comes again is too old.
  EXPECT_EQ(shard_.Do(PrepareOf(kId, {{"c", "1"}}), 160).kind, Kind::kTooOld);
}

TEST_F(ShardStateTest, AnAbortThatComesFirstStays) {
  for (const ShardCommand& abort : {ShardCommand(AbortedOf(kId)),
                                    ShardCommand(Abort{.id = kOther, .why = "nobody knows it"})}) {
    const TransactionId& id = std::holds_alternative<Resolve>(abort) ? kId : kOther;
    const int64_t t = id == kId ? 100 : 200;
    EXPECT_EQ(shard_.Do(abort, t).kind, Kind::kAborted);
    EXPECT_EQ(shard_.Do(PrepareOf(id, {{"c", "1"}}), t + 1).kind, Kind::kAborted);
    EXPECT_EQ(shard_.Do(Commit{.id = id}, t + 2).kind, Kind::kAborted);
    EXPECT_EQ(shard_.Do(Decide{.id = id}, t + 3).kind, Kind::kAborted);
    EXPECT_TRUE(shard_.state().prepared().empty());
  }
}

TEST_F(ShardStateTest, DecideCommitsWithTheCoordinatorsOwnWrites) {
  const Decide decide{.id = kId,
                      .participants = {GroupId(2), GroupId(5)},
                      .writes = {{"c", "1"}},
                      .prepared_at_most = Timestamp(100)};
  EXPECT_EQ(shard_.Do(decide, 100).timestamp, Timestamp(100));
  EXPECT_EQ(shard_.Read("c", 100), "1");
  shard_.Restore();
  EXPECT_EQ(shard_.state().outcomes().waiting().at(kId), decide.participants);
  shard_.Do(Forget{{kId, kOther}}, 200);
  shard_.Restore();
  EXPECT_TRUE(shard_.state().outcomes().waiting().empty());
  EXPECT_EQ(shard_.OutcomeOf(kId), Outcome::Committed(Timestamp(100)));
}

TEST_F(ShardStateTest, DecideBelowAPrepareTimestampAborts) {
  const CommandResult result =
      shard_.Do(Decide{.id = kId, .writes = {{"c", "1"}}, .prepared_at_most = Timestamp(101)}, 100);
  EXPECT_EQ(result.kind, Kind::kAborted);
  EXPECT_THAT(result.why, HasSubstr("1 ns below that at which a shard had prepared it"));
  EXPECT_EQ(shard_.Read("c", 200), "-");
}

// --- Forgetting ---

TEST_F(ShardStateTest, WhatIsForgottenNeverEndsAnew) {
  shard_.Do(Commit{.id = kId, .writes = {{"c", "1"}}}, 100);
  shard_.Do(Trim{Timestamp(1000)}, 110);
  EXPECT_TRUE(shard_.OutcomeOf(kId)) << "it began at the mark";
  shard_.Do(Trim{Timestamp(1001)}, 120);
  EXPECT_FALSE(shard_.OutcomeOf(kId));
  int64_t t = 200;
  for (const bool restarted : {false, true}) {
    if (restarted) shard_.Restore();
    for (const ShardCommand& command :
         {ShardCommand(Commit{.id = kId, .writes = {{"c", "2"}}}),
          ShardCommand(PrepareOf(kId, {{"c", "2"}})), ShardCommand(Decide{.id = kId}),
          ShardCommand(Abort{.id = kId, .why = ""}), ShardCommand(AbortedOf(kId)),
          ShardCommand(CommittedAt(kId, 100))}) {
      EXPECT_EQ(shard_.Do(command, ++t).kind, Kind::kTooOld) << "command " << command.index();
    }
  }
  EXPECT_EQ(shard_.Read("c", 500), "1");
}

TEST_F(ShardStateTest, AnOutcomeIsKeptWhileAParticipantWaits) {
  shard_.Do(Decide{.id = kId, .participants = {GroupId(2)}}, 100);
  shard_.Do(Trim{Timestamp(5000)}, 110);
  shard_.Restore();
  EXPECT_EQ(shard_.Do(Abort{.id = kId, .why = "asked"}, 120).timestamp, Timestamp(100));
  shard_.Do(Forget{{kId}}, 130);
  EXPECT_EQ(shard_.Do(Abort{.id = kId, .why = "asked"}, 140).kind, Kind::kTooOld);
}

TEST_F(ShardStateTest, ALateResolveOfWhatBeganBeforeTheMarkCommitsAndLeavesNoRecord) {
  shard_.Do(PrepareOf(kId, {{"c", "1"}}), 100);
  shard_.Do(Trim{Timestamp(5000)}, 110);
  EXPECT_EQ(shard_.Do(CommittedAt(kId, 105), 120).kind, Kind::kCommitted);
  EXPECT_EQ(shard_.Read("c", 105), "1");
  EXPECT_EQ(shard_.Do(CommittedAt(kId, 105), 130).kind, Kind::kTooOld);
}

// More than one Trim removes, and replicas whose batches end elsewhere.
TEST(ShardState, ManyOutcomesAreForgottenBitByBit) {
  ShardReplica one(1, kShard, 10);
  ShardReplica other(2, kShard);
  int64_t t = 10'000;
  const auto choose = [&](const ShardCommand& command) {
    ++t;
    one.Choose(command, Timestamp(t));
    other.Choose(command, Timestamp(t));
  };
  for (int64_t i = 0; i < 2500; ++i) {
    if (i == 1100 || i == 1900) choose(Trim{Timestamp(3000 + i / 2)});
    const auto began = IdOf(3000 + (i * 7919) % 2500);
    choose(i % 100 == 0 ? ShardCommand(Decide{.id = began, .participants = {GroupId(2)}})
                        : ShardCommand(Commit{.id = began}));
  }
  for (int i = 0; i < 4; ++i) choose(Trim{Timestamp(5000)});
  while (one.applied() < one.chosen()) one.ApplyNext(61);
  while (other.applied() < other.chosen()) other.ApplyNext(700);
  EXPECT_EQ(one.Contents(), other.Contents());
  EXPECT_TRUE(one.state().outcomes().swept());
  size_t kept = 0;
  for (int64_t begun = 3000; begun < 5000; ++begun) {
    const bool waits = one.state().outcomes().waiting().contains(IdOf(begun));
    EXPECT_EQ(one.OutcomeOf(IdOf(begun)).has_value(), waits) << begun;
    kept += waits;
  }
  EXPECT_GT(kept, 0u);
}

// --- Broken invariants ---

TEST_F(ShardStateDeathTest, ACommitThatNobodyPreparedStopsTheProcess) {
  EXPECT_DEATH(shard_.Do(CommittedAt(kId, 90), 100), "TX-2PC.*has not prepared it");
}

TEST_F(ShardStateDeathTest, ACommitThatWasAbortedHereStopsTheProcess) {
  shard_.Do(AbortedOf(kId), 100);
  EXPECT_DEATH(shard_.Do(CommittedAt(kId, 90), 110), "TX-2PC.*knows it as already aborted");
}

TEST_F(ShardStateDeathTest, TwoOutcomesStopTheProcess) {
  shard_.Do(Commit{.id = kId}, 100);
  EXPECT_DEATH(shard_.Do(AbortedOf(kId), 110), "TX-2PC");
  EXPECT_DEATH(shard_.Do(CommittedAt(kId, 90), 110), "TX-2PC");
}

TEST_F(ShardStateDeathTest, ACommitBelowItsPrepareTimestampStopsTheProcess) {
  shard_.Do(PrepareOf(kId, {{"c", "1"}}), 100);
  EXPECT_DEATH(shard_.Do(CommittedAt(kId, 99), 110), "TX-2PC.*prepared at 100ns");
  EXPECT_DEATH(shard_.Do(CommittedAt(kId, 111), 110), "TX-2PC") << "above its own entry";
}

// --- All orders ---

enum class Step : uint8_t { kPrepare, kAbort, kDecide, kCommitted, kAborted };

// What is left of a transaction whose commands come in this order.
std::string EndOf(const std::vector<Step>& steps) {
  ShardReplica shard(1, kShard);
  int64_t t = 100;
  for (const Step step : steps) {
    t += 10;
    switch (step) {
      case Step::kPrepare:
        shard.Do(PrepareOf(kId, {{"c", "prepared"}}), t);
        break;
      case Step::kAbort:
        shard.Do(Abort{.id = kId, .why = "given up"}, t);
        break;
      case Step::kDecide:
        shard.Do(Decide{.id = kId, .writes = {{"c", "decided"}}}, t);
        break;
      case Step::kCommitted:
        shard.Do(CommittedAt(kId, 111), t);
        break;
      case Step::kAborted:
        shard.Do(AbortedOf(kId), t);
        break;
    }
  }
  if (!shard.state().prepared().empty()) return "prepared";
  return shard.OutcomeOf(kId)->committed ? "committed, " + shard.Read("c", 500) : "aborted";
}

// Whatever ends the transaction first stands, and who is prepared is ended by a Resolve alone.
std::string ExpectedEnd(const std::vector<Step>& steps) {
  bool prepared = false;
  for (const Step step : steps) {
    if (step == Step::kCommitted) return "committed, prepared";
    if (step == Step::kAborted) return "aborted";
    if (step == Step::kPrepare) prepared = true;
    if (step == Step::kDecide && !prepared) return "committed, decided";
    if (step == Step::kAbort && !prepared) return "aborted";
  }
  return "prepared";
}

// No protocol lets it come to this: a commit follows from a prepare here, and a group has one
// outcome.
bool CannotBe(const std::vector<Step>& steps) {
  const auto first = [&](Step step) {
    return std::find(steps.begin(), steps.end(), step) - steps.begin();
  };
  const bool resolved_as_aborted = std::ranges::count(steps, Step::kAborted) > 0;
  if (std::ranges::count(steps, Step::kCommitted) > 0 && steps[0] != Step::kPrepare) return true;
  return resolved_as_aborted && ExpectedEnd(steps) == "committed, decided" &&
         first(Step::kDecide) < first(Step::kAborted);
}

TEST(ShardState, EveryOrderOfCommandsEndsAsItsFirstOutcomeSays) {
  using enum Step;
  std::map<std::string, int> ends;
  for (std::vector<Step> steps :
       std::vector<std::vector<Step>>{{kPrepare, kAbort, kDecide},
                                      {kPrepare, kPrepare, kAbort, kAbort, kDecide, kDecide},
                                      {kPrepare, kAbort, kDecide, kCommitted},
                                      {kPrepare, kAbort, kDecide, kAborted},
                                      {kPrepare, kPrepare, kAbort, kDecide, kCommitted, kCommitted},
                                      {kPrepare, kPrepare, kAbort, kDecide, kAborted, kAborted}}) {
    do {
      if (CannotBe(steps)) continue;
      const std::string end = EndOf(steps);
      EXPECT_EQ(end, ExpectedEnd(steps));
      ++ends[end];
    } while (std::ranges::next_permutation(steps).found);
  }
  // All ends were met.
  EXPECT_THAT(ends, testing::SizeIs(4));
}

}  // namespace
}  // namespace txn
