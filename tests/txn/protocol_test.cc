// The rules of protocol.md for transactions, as stories of single calls. Sections are those of Corbett
// et al. 2012.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "paxos/group.h"
#include "runtime/sleep.h"
#include "tests/txn/shard_calls.h"
#include "txn/call_parts.h"
#include "txn/refusal.h"

namespace txn {
namespace {

using runtime::Duration;
using runtime::Task;
using runtime::Timestamp;
using runtime::operator""ms;
using runtime::operator""s;
using storage::GroupId;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Group 1 has the keys below "h", group 2 those below "p", group 3 the others.
class Protocol : public ::testing::Test {
 protected:
  explicit Protocol(TransactionClusterOptions options = {})
      : cluster(7, std::move(options)), calls(&cluster) {}

  Timestamp Now() { return cluster.universe().true_time(); }
  std::shared_ptr<paxos::Group> Group(int node, int group) {
    return cluster.program(node)->host()->FindGroup(GroupId(static_cast<uint64_t>(group)));
  }
  // Another leader than now has the lead.
  void HandOver(int group) {
    const int leader = cluster.AwaitLeader(group);
    const int next = cluster.FollowerOf(group);
    (void)cluster.Await(leader,
                        Group(leader, group)->Abdicate(Group(next, group)->replica().self()));
    ASSERT_TRUE(cluster.RunUntil([&] { return Group(next, group)->leading().has_value(); }));
  }
  Timestamp MustCommit(int group, std::vector<Write> writes) {
    const absl::StatusOr<Timestamp> committed =
        calls.Commit(calls.Begin(), group, std::move(writes));
    CHECK(committed.ok()) << committed.status();
    return *committed;
  }
  std::string Row(int node, int group, const Key& key, std::optional<Timestamp> at,
                  Duration wait_max = 5s) {
    const auto read = calls.Read(node, group, key, at, wait_max);
    if (!read.ok()) return std::string(read.status().message());
    return read->cells(0).has_value() ? read->cells(0).value() : "-";
  }

  TransactionCluster cluster;
  ShardCalls calls;
};

class ProtocolWithWideClocks : public Protocol {
 protected:
  ProtocolWithWideClocks() : Protocol({.epsilon = 50ms}) {}
};

// 4.1.2, Start: "The coordinator leader for a write Ti assigns a commit timestamp si no less than the
// value of TT.now().latest, computed after e_i^server."
TEST_F(ProtocolWithWideClocks, StartRule) {
  const Timestamp asked = Now();
  EXPECT_GE(MustCommit(1, {Put("a", "1")}), asked);
}

// 4.1.2, Commit Wait: "clients cannot see any data committed by Ti until TT.after(si) is true."
TEST_F(ProtocolWithWideClocks, CommitWait) {
  const Timestamp s = MustCommit(1, {Put("a", "1")});
  EXPECT_GT(Now(), s);
}

TEST_F(Protocol, ACommitThatIsRepeatedHasTheSameAnswer) {
  const Caller one = calls.Begin();
  const absl::StatusOr<Timestamp> first = calls.Commit(one, 1, {Put("a", "1")});
  ASSERT_TRUE(first.ok()) << first.status();
  MustCommit(1, {Put("a", "2")});
  EXPECT_EQ(calls.Commit(one, 1, {Put("a", "1")}), first);
  EXPECT_EQ(Row(cluster.AwaitLeader(1), 1, "a", std::nullopt), "2");
  EXPECT_EQ(*calls.Conclude(one, 1), Outcome::Committed(*first));
}

// 4.2.1: wound-wait; who is prepared is not wounded, since its commit may be decided elsewhere.
TEST_F(Protocol, WhoIsPreparedIsNotWounded) {
  Caller older = calls.Begin();
  Caller younger = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&younger, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&younger, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(younger, 2, 1, {Put("k", "1")}).ok());
  calls.AwaitPrepared(younger, 2);
  // The older one waits; it wounds whoever is not prepared.
  EXPECT_THAT(calls.LockKey(&older, 2, "k").status().message(),
              AllOf(HasSubstr("prepared"), HasSubstr(ToText(younger.id))));
  const absl::StatusOr<Timestamp> committed = calls.Commit(younger, 1, {Put("a", "1")}, {2});
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ(Row(cluster.AwaitLeader(2), 2, "k", *committed), "1");
}

TEST_F(Protocol, WhoIsWoundedHearsItAtPrepare) {
  Caller older = calls.Begin();
  Caller younger = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&younger, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&younger, 2, "k").ok());
  ASSERT_TRUE(calls.LockKey(&older, 2, "k").ok());
  const absl::Status prepared = calls.Prepare(younger, 2, 1, {Put("k", "1")});
  EXPECT_TRUE(absl::IsAborted(prepared));
  EXPECT_THAT(prepared.message(), HasSubstr(ToText(older.id)));
}

// 4.2.1: a participant "chooses a prepare timestamp that must be larger than any timestamps it has
// assigned to previous transactions". Promises for reads count like those.
TEST_F(Protocol, PrepareTimestampsAreAbovePromisesAndPinnedReads) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  const int leader = cluster.AwaitLeader(2);
  const Timestamp pinned = Now() + 30ms;
  EXPECT_EQ(Row(leader, 2, "l", pinned), "-");
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "1")}).ok());
  EXPECT_GT(calls.AwaitPrepared(caller, 2), pinned);
}

// The coordinator's commit timestamp is at or above all prepare timestamps.
TEST_F(Protocol, ACommitIsAboveItsPrepares) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  Row(cluster.AwaitLeader(2), 2, "l", Now() + 200ms);
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "1")}).ok());
  const Timestamp prepared = calls.AwaitPrepared(caller, 2);
  const absl::StatusOr<Timestamp> committed = calls.Commit(caller, 1, {Put("a", "1")}, {2});
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_GE(*committed, prepared);
}

TEST_F(Protocol, WhoIsPreparedAndHearsNothingAsksTheCoordinatorsGroup) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "1")}).ok());
  calls.AwaitPrepared(caller, 2);
  // The commit never comes: group 1 writes an abort, and stays with it.
  const int leader = cluster.AwaitLeader(2);
  EXPECT_TRUE(cluster.RunUntil([&] { return calls.MachineAt(leader, 2).prepared().size() == 0; }));
  EXPECT_EQ(Row(leader, 2, "k", std::nullopt), "-");
  EXPECT_TRUE(absl::IsAborted(calls.Commit(caller, 1, {Put("a", "1")}, {2}).status()));
  EXPECT_FALSE(calls.Conclude(caller, 1)->committed);
  MustCommit(2, {Put("k", "2")});
}

TEST_F(Protocol, AnOutcomeOutlivesItsParticipants) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "1")}).ok());
  const absl::StatusOr<Timestamp> committed = calls.Commit(caller, 1, {Put("a", "1")}, {2});
  ASSERT_TRUE(committed.ok()) << committed.status();
  const int leader = cluster.AwaitLeader(1);
  EXPECT_TRUE(cluster.RunUntil([&] { return calls.MachineAt(leader, 1).waiting().empty(); }));
  EXPECT_EQ(*calls.Conclude(caller, 1), Outcome::Committed(*committed));
}

class ProtocolThatForgets : public Protocol {
 protected:
  static TransactionClusterOptions Options() {
    TransactionClusterOptions options;
    options.shards.machine.outcome_retention = 2s;
    return options;
  }
  ProtocolThatForgets() : Protocol(Options()) {}
};

TEST_F(ProtocolThatForgets, AnOutcomeThatIsForgottenIsNeverAnAbort) {
  const Caller caller = calls.Begin();
  ASSERT_TRUE(calls.Commit(caller, 1, {Put("a", "1")}).ok());
  cluster.RunFor(10s);
  MustCommit(1, {Put("b", "1")});
  cluster.RunFor(10s);
  EXPECT_TRUE(absl::IsOutOfRange(calls.Conclude(caller, 1).status()));
  // Nor is it committed again.
  EXPECT_TRUE(absl::IsOutOfRange(calls.Commit(caller, 1, {Put("a", "3")}).status()));
  EXPECT_EQ(Row(cluster.AwaitLeader(1), 1, "a", std::nullopt), "1");
}

// 4.2.1; the write locks of prepared transactions are in the log (TX-EPOCH).
TEST_F(Protocol, ANewLeaderBeginsWithTheLocksOfWhatIsPrepared) {
  Caller prepared = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&prepared, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&prepared, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(prepared, 2, 1, {Put("k", "1")}).ok());
  calls.AwaitPrepared(prepared, 2);
  HandOver(2);
  Caller other = calls.Begin();
  EXPECT_THAT(calls.LockKey(&other, 2, "k").status().message(), HasSubstr("prepared"));
  const absl::StatusOr<Timestamp> committed = calls.Commit(prepared, 1, {Put("a", "1")}, {2});
  ASSERT_TRUE(committed.ok()) << committed.status();
  EXPECT_EQ(Row(cluster.AwaitLeader(2), 2, "k", *committed), "1");
}

TEST_F(Protocol, LocksAreGoneWithTheirBallot) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  HandOver(2);
  for (const absl::Status& refused :
       {calls.LockKey(&caller, 2, "l").status(), calls.Prepare(caller, 2, 1, {Put("k", "1")}),
        calls.Commit(caller, 2, {Put("k", "1")}).status()}) {
    EXPECT_TRUE(absl::IsAborted(refused)) << refused;
    EXPECT_THAT(refused.message(), HasSubstr("changed its leader"));
  }
}

// TX-READ-GUARD: whatever the next leader writes is above what a reader's commit may get.
TEST_F(Protocol, AGuardHoldsAcrossAChangeOfTheLeader) {
  Caller reader = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&reader, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&reader, 2, "k", LockMode::kShared).ok());
  ASSERT_TRUE(calls.Prepare(reader, 2, 1, {}).ok());
  HandOver(2);
  const Timestamp overwritten = MustCommit(2, {Put("k", "2")});
  const absl::StatusOr<Timestamp> committed = calls.Commit(reader, 1, {Put("a", "1")}, {}, {2});
  if (committed.ok()) {
    EXPECT_LT(*committed, overwritten);
  } else {
    EXPECT_TRUE(absl::IsAborted(committed.status())) << committed.status();
  }
}

TEST_F(Protocol, ACommitAfterItsGuardsAborts) {
  Caller reader = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&reader, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&reader, 2, "k", LockMode::kShared).ok());
  ASSERT_TRUE(calls.Prepare(reader, 2, 1, {}).ok());
  cluster.RunFor(3s);
  // Its locks have gone meanwhile: somebody else writes.
  MustCommit(2, {Put("k", "2")});
  const absl::Status committed = calls.Commit(reader, 1, {Put("a", "1")}, {}, {2}).status();
  EXPECT_TRUE(absl::IsAborted(committed));
  EXPECT_THAT(committed.message(), HasSubstr("guarded"));
}

// 4.2.2: LastTS; 4.2.4 for its refinement by key.
TEST_F(Protocol, AReadTakesTheLastCommitUnlessSomethingIsPreparedThere) {
  const Timestamp last = MustCommit(2, {Put("k", "1"), Put("l", "1")});
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "2")}).ok());
  const Timestamp prepared = calls.AwaitPrepared(caller, 2);
  const int leader = cluster.AwaitLeader(2);
  const auto beside = calls.Read(leader, 2, "l", std::nullopt);
  ASSERT_TRUE(beside.ok()) << beside.status();
  EXPECT_EQ(Timestamp(beside->timestamp()), last);
  // There it is as of now, and has to wait.
  const absl::Status there = calls.Read(leader, 2, "k", std::nullopt).status();
  const std::optional<Refusal> refusal = RefusalOf(there);
  ASSERT_TRUE(refusal) << there;
  EXPECT_EQ(refusal->kind, Refusal::Kind::kNotSafeYet);
  EXPECT_EQ(refusal->safe_time, prepared - Duration(1));
}

// 4.1.3: t_TM_safe, by key.
TEST_F(Protocol, SafeTimeIsHeldBackForTheKeysConcernedOnly) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  ASSERT_TRUE(calls.Prepare(caller, 2, 1, {Put("k", "1")}).ok());
  const Timestamp prepared = calls.AwaitPrepared(caller, 2);
  const int leader = cluster.AwaitLeader(2);
  EXPECT_EQ(Row(leader, 2, "l", prepared + 1ms), "-");
  EXPECT_EQ(Row(leader, 2, "k", prepared - Duration(1)), "-");
  EXPECT_TRUE(absl::IsUnavailable(calls.Read(leader, 2, "k", prepared).status()));
}

TEST_F(Protocol, WhatComesTooLateBeginsNothing) {
  Caller caller = calls.Begin();
  calls.Release(caller, 1);
  EXPECT_THAT(calls.LockKey(&caller, 1, "a").status().message(), HasSubstr("has ended"));
}

TEST_F(Protocol, WhatIsNotLockedIsNotWritten) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 1, "a", LockMode::kShared).ok());
  const absl::Status refused = calls.Commit(caller, 1, {Put("a", "1")}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
}

TEST_F(Protocol, WhatNoGatewayAsksIsRefused) {
  Caller caller = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&caller, 1, "a").ok());
  ASSERT_TRUE(calls.LockKey(&caller, 2, "k").ok());
  for (const absl::Status& refused :
       {calls.Prepare(caller, 2, 2, {Put("k", "1")}),
        calls.Prepare(caller, 2, 1, {Put("l", "1"), Put("k", "1")}),
        calls.Commit(caller, 1, {}, {2}).status(),
        calls.Commit(caller, 1, {Put("a", "1")}, {1}).status(),
        calls.Lock(&caller, 1, {{{"c", "b"}, LockMode::kShared}}).status(),
        calls.Lock(&caller, 1, {}, 1s, {"b"}).status()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  }
}

// A promise for the future would make every commit wait for it.
TEST_F(Protocol, AReadInTheFutureWaitsForIt) {
  const int leader = cluster.AwaitLeader(2);
  const Timestamp later = Now() + 2s;
  EXPECT_TRUE(absl::IsUnavailable(calls.Read(leader, 2, "k", later, 100ms).status()));
  EXPECT_LT(MustCommit(2, {Put("k", "1")}), later);
  EXPECT_EQ(Row(leader, 2, "k", later), "1");
}

TEST_F(Protocol, KeysOfAnotherShardAreRefusedWithTheShard) {
  Caller caller = calls.Begin();
  const absl::Status refused = calls.LockKey(&caller, 1, "z").status();
  const std::optional<Refusal> refusal = RefusalOf(refused);
  ASSERT_TRUE(refusal) << refused;
  EXPECT_EQ(refusal->kind, Refusal::Kind::kWrongRange);
  EXPECT_EQ(refusal->shard.range.end, "h");
}

TEST_F(Protocol, AWaitForALockEndsWithItsReason) {
  Caller older = calls.Begin();
  Caller younger = calls.Begin();
  ASSERT_TRUE(calls.LockKey(&older, 1, "a").ok());
  const absl::Status waited = calls.LockKey(&younger, 1, "a").status();
  EXPECT_TRUE(absl::IsAborted(waited)) << waited;
  EXPECT_THAT(waited.message(), AllOf(HasSubstr(ToText(older.id)), HasSubstr("exclusive")));
}

}  // namespace
}  // namespace txn
