// A shard with three replicas on simulated nodes: when commits are shown, what may be read when, and
// what comes back after crashes.
#include "tests/txn/shard_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace txn {
namespace {

using runtime::operator""ms;
using runtime::operator""ns;
using runtime::operator""s;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = CommandResult::Kind;

// A transaction that begins now.
TransactionId Begins(ShardCluster& cluster) {
  static uint64_t sequence = 0;
  return {cluster.universe().true_time(), NodeId(1), ++sequence};
}
Commit CommitOf(ShardCluster& cluster, const Key& key, const std::string& value) {
  return {.id = Begins(cluster), .writes = {{key, value}}};
}
Prepare PrepareOf(ShardCluster& cluster, const Key& key, const std::string& value) {
  const TransactionId id = Begins(cluster);
  return {.id = id, .age = Age::Of(id), .coordinator = GroupId(9), .writes = {{key, value}}};
}
// Versions are kept for a second.
ShardClusterOptions ShortRetention() {
  ShardClusterOptions options;
  options.host.collect_period = 100ms;
  options.shard.version_retention = 1s;
  return options;
}

// --- Commit wait ---

TEST(ShardClusterTest, ACommitIsAcknowledgedAndShownWhenItsTimestampHasPassed) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    ShardCluster cluster(seed, {.epsilon = 20ms});
    for (int i = 0; i < 10; ++i) {
      const CommandResult result = cluster.Do(CommitOf(cluster, "c", absl::StrCat(i)));
      ASSERT_EQ(result.kind, Kind::kCommitted) << result;
      EXPECT_LT(result.timestamp, cluster.universe().true_time());
    }
    ASSERT_TRUE(cluster.AwaitApplied({1, 2, 3}));
    // It was watched at all replicas.
    EXPECT_TRUE(cluster.universe().violation().ok()) << cluster.universe().violation();
    for (const int node : {1, 2, 3}) EXPECT_EQ(cluster.program(node)->witness().ended.size(), 10u);
  }
}

TEST(ShardClusterTest, WithoutCommitWaitAWriteIsShownBeforeItsTime) {
  ShardCluster cluster(1, {.universe = {.without = {"TX-COMMIT-WAIT"}}, .epsilon = 20ms});
  cluster.Begin(cluster.AwaitLeader(), CommitOf(cluster, "c", "1"));
  cluster.RunFor(1s);
  EXPECT_THAT(cluster.universe().violation().ToString(), HasSubstr("TX-COMMIT-WAIT"));
}

TEST(ShardClusterTest, NoCommitWaitsForTheTimestampOfALaterOne) {
  ShardCluster cluster(1, {.epsilon = 20ms});
  const int leader = cluster.AwaitLeader();
  std::vector<Commit> commits;
  for (int i = 0; i < 50; ++i) {
    commits.push_back(CommitOf(cluster, "c", absl::StrCat(i)));
    cluster.Begin(leader, commits.back());
    cluster.RunFor(1ms);
  }
  cluster.RunFor(1s);
  for (const Commit& commit : commits) {
    const auto outcome = cluster.machine(leader).OutcomeOf(commit.id);
    ASSERT_TRUE(outcome.ok() && *outcome) << outcome.status();
    const Timestamp shown = cluster.program(leader)->witness().ended.at(commit.id);
    // By its clock, which is not sure by up to 20 ms on either side, its time has passed; a little
    // for the store.
    EXPECT_LT(shown - *(*outcome)->committed, 25ms);
  }
}

TEST(ShardClusterTest, APrepareDoesNotWait) {
  ShardCluster cluster(1, {.epsilon = 200ms});
  cluster.AwaitLeader();
  cluster.RunFor(1s);
  const Timestamp asked = cluster.universe().true_time();
  EXPECT_EQ(cluster.Do(PrepareOf(cluster, "c", "1")).kind, Kind::kPrepared);
  EXPECT_LT(cluster.universe().true_time() - asked, 50ms);
}

// --- Reads ---

TEST(ShardClusterTest, EveryReplicaServesAReadThatIsSafe) {
  ShardCluster cluster(1);
  const Timestamp first = cluster.Do(CommitOf(cluster, "c", "1")).timestamp;
  const Timestamp second = cluster.Do(CommitOf(cluster, "c", "2")).timestamp;
  for (const int node : {1, 2, 3}) {
    EXPECT_EQ(*cluster.Read(node, "c", first), "1");
    EXPECT_EQ(*cluster.Read(node, "c", second), "2");
    EXPECT_EQ(*cluster.Read(node, "d", second), "-");
    EXPECT_TRUE(absl::IsFailedPrecondition(cluster.Read(node, "z", second).status()));
  }
}

// TX-SAFE-TIME, for the keys read.
TEST(ShardClusterTest, APreparedTransactionHoldsBackReadsOfItsKeysOnly) {
  ShardCluster cluster(1);
  const Prepare prepare = PrepareOf(cluster, "c", "1");
  const Timestamp prepared = cluster.Do(prepare).timestamp;
  const Timestamp later = cluster.Do(CommitOf(cluster, "d", "1")).timestamp;
  ASSERT_TRUE(cluster.AwaitApplied({1, 2, 3}));
  for (const int node : {1, 2, 3}) {
    const ShardMachine& machine = cluster.machine(node);
    const Timestamp paxos_safe = cluster.group(node)->PaxosSafeTime();
    EXPECT_GE(machine.SafeTime(PointRange("d"), paxos_safe), later);
    EXPECT_EQ(machine.SafeTime(PointRange("c"), paxos_safe), prepared - 1ns);
    const auto read = machine.NewRead({PointRange("d"), PointRange("c")}, later, paxos_safe);
    EXPECT_TRUE(absl::IsUnavailable(read.status()));
    EXPECT_THAT(read.status().ToString(), HasSubstr("behind the timestamp that is to be read"));
    EXPECT_EQ(*cluster.Read(node, "c", prepared - 1ns), "-");
    EXPECT_EQ(*cluster.Read(node, "d", later), "1");
  }
  // The commit is below a timestamp at which "d" was read already, and nobody has read "c" there.
  cluster.Do(Resolve{prepare.id, Outcome::Committed(prepared)}, prepared);
  for (const int node : {1, 2, 3}) EXPECT_EQ(*cluster.Read(node, "c", later), "1");
}

TEST(ShardClusterTest, WithoutSafeTimeACommitAppearsWhereWasReadAlready) {
  ShardCluster cluster(1, {.universe = {.without = {"TX-SAFE-TIME"}}});
  const Prepare prepare = PrepareOf(cluster, "c", "1");
  const Timestamp prepared = cluster.Do(prepare).timestamp;
  const Timestamp later = cluster.Do(CommitOf(cluster, "d", "1")).timestamp;
  EXPECT_EQ(*cluster.Read(1, "c", later), "-");
  cluster.Do(Resolve{prepare.id, Outcome::Committed(prepared)}, prepared);
  EXPECT_EQ(*cluster.Read(1, "c", later), "1") << "the same read, another answer";
}

// What the ranges of a read say is checked by it, and what is read in them is all that is there.
TEST(ShardClusterTest, ReadsComeInBatches) {
  ShardCluster cluster(1);
  Commit commit = CommitOf(cluster, "c", "1");
  commit.writes.insert(commit.writes.end(), {{"d", "2"}, {"e", "3"}, {"f", std::nullopt}});
  const Timestamp at = cluster.Do(commit).timestamp;
  const int leader = cluster.AwaitLeader();
  const ShardMachine& machine = cluster.machine(leader);
  for (const bool locked : {false, true}) {
    const std::vector<KeyRange> ranges{{"b", "d"}, {"d", "h"}};
    absl::StatusOr<ShardRead> read =
        locked ? machine.NewLockedRead(ranges)
               : machine.NewRead(ranges, at, cluster.group(leader)->PaxosSafeTime());
    ASSERT_TRUE(read.ok()) << read.status();
    const auto cells = read->Get({"c", "f", "d"});
    ASSERT_TRUE(cells.ok()) << cells.status();
    EXPECT_THAT(*cells, ElementsAre(storage::Cell{at, "1"}, std::nullopt, storage::Cell{at, "2"}));
    const auto first = read->Scan({"d", "h"}, {.rows_max = 1});
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_THAT(first->rows, ElementsAre(storage::Row{"d", at, "2"}));
    const auto rest = read->Scan(*first->rest, {});
    EXPECT_THAT(rest->rows, ElementsAre(storage::Row{"e", at, "3"}));
    EXPECT_DEATH(static_cast<void>(read->Get({"a"})), "was not asked for");
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(machine.NewLockedRead({{"y", ""}}).status()));
}

// TX-READ-ONLY: LastTS, per key range.
TEST(ShardClusterTest, TheLastCommitOfARangeIsKnownWhileNothingIsPreparedThere) {
  ShardCluster cluster(1);
  const Timestamp first = cluster.Do(CommitOf(cluster, "c", "1")).timestamp;
  const Timestamp second = cluster.Do(CommitOf(cluster, "d", "1")).timestamp;
  const ShardMachine& machine = cluster.machine(cluster.AwaitLeader());
  EXPECT_EQ(machine.LastCommit(PointRange("c")), first);
  EXPECT_EQ(machine.LastCommit({"c", "e"}), second);
  cluster.Do(PrepareOf(cluster, "c", "2"));
  EXPECT_EQ(machine.LastCommit(PointRange("c")), std::nullopt);
  EXPECT_EQ(machine.LastCommit({"c", "e"}), std::nullopt);
  EXPECT_EQ(machine.LastCommit(PointRange("d")), second);
}

TEST(ShardClusterTest, BelowTheHorizonAReadIsRefused) {
  ShardCluster cluster(1, ShortRetention());
  const Timestamp first = cluster.Do(CommitOf(cluster, "c", "1")).timestamp;
  cluster.RunFor(3s);
  const Timestamp second = cluster.Do(CommitOf(cluster, "c", "2")).timestamp;
  cluster.RunFor(1s);
  EXPECT_TRUE(absl::IsOutOfRange(cluster.Read(cluster.AwaitLeader(), "c", first).status()));
  EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "c", second), "2");
}

// A prepared transaction may still write at its prepare timestamp.
TEST(ShardClusterTest, TheHorizonStaysBelowWhatIsPrepared) {
  ShardCluster cluster(1, ShortRetention());
  const Prepare prepare = PrepareOf(cluster, "c", "1");
  const Timestamp prepared = cluster.Do(prepare).timestamp;
  cluster.RunFor(3s);
  cluster.Do(CommitOf(cluster, "d", "1"));
  cluster.RunFor(1s);
  const int leader = cluster.AwaitLeader();
  EXPECT_LT(cluster.machine(leader).horizon(), prepared);
  cluster.Do(Resolve{prepare.id, Outcome::Committed(prepared)}, prepared);
  EXPECT_EQ(*cluster.Read(leader, "c", prepared), "1");
}

// --- What comes back ---

TEST(ShardClusterTest, ANewLeaderFindsWhatIsPreparedAndWhomOutcomesHaveToReach) {
  ShardCluster cluster(1);
  const Prepare prepare = PrepareOf(cluster, "c", "1");
  cluster.Do(prepare);
  const TransactionId decided = Begins(cluster);
  cluster.Do(Decide{.id = decided, .participants = {GroupId(5)}, .writes = {{"d", "1"}}});
  const int old_leader = cluster.AwaitLeader();
  EXPECT_TRUE(cluster.program(old_leader)->witness().leads);
  cluster.world(old_leader).Crash();
  const int leader = cluster.AwaitLeader();
  EXPECT_TRUE(cluster.program(leader)->witness().leads);
  const PreparedTransaction* const found = cluster.machine(leader).prepared().Find(prepare.id);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->age, prepare.age);
  EXPECT_THAT(ExclusiveRanges(*found), ElementsAre(PointRange("c")));
  EXPECT_THAT(cluster.machine(leader).waiting().at(decided), ElementsAre(GroupId(5)));
  EXPECT_TRUE(cluster.Do(prepare).already);
}

TEST(ShardClusterTest, ReplicasAreEqualAfterCrashesInTheMiddle) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    ShardCluster cluster(seed, {.shard = {.recent_outcomes_max = seed % 3}});
    std::vector<Prepare> prepares;
    for (int i = 0; i < 30; ++i) {
      const Key key(1, static_cast<char>('b' + i % 20));
      if (i % 3 == 0) {
        prepares.push_back(PrepareOf(cluster, key, "prepared"));
        prepares.back().writes[0].key += "2";
        cluster.Begin(cluster.AwaitLeader(), prepares.back());
      } else {
        cluster.Begin(cluster.AwaitLeader(), CommitOf(cluster, key, absl::StrCat(i)));
      }
      cluster.RunFor(1ms);
      if (i % 10 == 7) cluster.world(1 + i / 10).Restart();
    }
    for (const Prepare& prepare : prepares) {
      const CommandResult known = cluster.Do(prepare);  // Perhaps it was lost.
      ASSERT_EQ(known.kind, Kind::kPrepared);
      const bool commits = prepare.id.sequence % 2 == 0;
      cluster.Do(Resolve{prepare.id, commits ? Outcome::Committed(known.timestamp)
                                             : Outcome::Aborted("given up")},
                 known.timestamp);
    }
    ASSERT_TRUE(cluster.AwaitApplied({1, 2, 3})) << cluster.universe().violation();
    EXPECT_EQ(cluster.Contents(1), cluster.Contents(2)) << "seed " << seed;
    EXPECT_EQ(cluster.Contents(1), cluster.Contents(3)) << "seed " << seed;
    for (const int node : {1, 2, 3}) EXPECT_EQ(cluster.machine(node).prepared().size(), 0u);
    EXPECT_TRUE(cluster.universe().violation().ok()) << cluster.universe().violation();
  }
}

// It does not know the range before the snapshot comes.
TEST(ShardClusterTest, ANewMemberGetsAllOfItWithASnapshot) {
  ShardCluster cluster(1);
  cluster.Do(CommitOf(cluster, "c", "1"));
  const Prepare prepare = PrepareOf(cluster, "d", "1");
  const Timestamp prepared = cluster.Do(prepare).timestamp;
  const int leader = cluster.AwaitLeader();
  const auto added = cluster.Await(leader, cluster.group(leader)->AddLearner(NodeId(4)));
  ASSERT_TRUE(added && added->ok()) << added->status();
  ASSERT_TRUE(cluster.RunUntil(
      [&] { return cluster.group(4) != nullptr && cluster.group(4)->installed(); }));
  ASSERT_TRUE(cluster.AwaitApplied({1, 2, 3, 4}));
  EXPECT_EQ(cluster.program(4)->witness().descriptor,
            (ShardDescriptor{.range = {"a", "z"}, .generation = 1}));
  EXPECT_NE(cluster.machine(4).prepared().Find(prepare.id), nullptr);
  cluster.Do(Resolve{prepare.id, Outcome::Committed(prepared)}, prepared);
  EXPECT_EQ(*cluster.Read(4, "d", prepared), "1");
  EXPECT_EQ(cluster.Contents(4), cluster.Contents(leader));
}

TEST(ShardClusterDeathTest, ACommitOfWhatIsLockedByAPreparedTransactionStopsTheProcess) {
  ShardCluster cluster(1);
  cluster.Do(PrepareOf(cluster, "c", "1"));
  EXPECT_DEATH(cluster.Do(CommitOf(cluster, "c", "2")), "TX-LOCKS.*has locked and prepared");
}

// It neither guesses nor stops the process.
TEST(ShardClusterTest, AReplicaStandsStillAtACommandThatItDoesNotKnow) {
  ShardCluster cluster(1);
  const Timestamp before = cluster.Do(CommitOf(cluster, "c", "1")).timestamp;
  const int leader = cluster.AwaitLeader();
  const storage::Slot applied = cluster.group(leader)->applied();
  cluster.BeginRaw(leader, "\x02 a command of the next version");
  const Commit after = CommitOf(cluster, "c", "2");
  cluster.Begin(leader, after);
  cluster.RunFor(2s);
  EXPECT_EQ(cluster.group(leader)->applied(), applied);
  EXPECT_EQ(*cluster.machine(leader).OutcomeOf(after.id), std::nullopt);
  EXPECT_EQ(*cluster.machine(leader).LastCommit(PointRange("c")), before);
}

// TX-ONCE.
TEST(ShardClusterTest, OutcomesAreForgottenWhenTheirTimeHasPassed) {
  ShardCluster cluster(1, {.shard = {.outcome_retention = 2s}});
  const Commit commit = CommitOf(cluster, "c", "1");
  const CommandResult first = cluster.Do(commit);
  const int leader = cluster.AwaitLeader();
  cluster.Do(*cluster.machine(leader).TrimDue());
  EXPECT_EQ(cluster.machine(leader).TrimDue(), std::nullopt) << "the mark has just been moved";
  cluster.RunFor(3s);
  EXPECT_EQ(cluster.Do(commit).timestamp, first.timestamp);
  const std::optional<Trim> trim = cluster.machine(leader).TrimDue();
  ASSERT_TRUE(trim);
  cluster.Do(*trim);
  EXPECT_EQ(cluster.machine(leader).TrimDue(), std::nullopt);
  EXPECT_EQ(cluster.Do(commit).kind, Kind::kTooOld);
  EXPECT_TRUE(cluster.machine(leader).TooOld(commit.id));
  EXPECT_EQ(*cluster.machine(leader).OutcomeOf(commit.id), std::nullopt);
  EXPECT_EQ(*cluster.Read(leader, "c", first.timestamp), "1");
}

}  // namespace
}  // namespace txn
