// Replicas that lag, come, go, and lose what they had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "paxos/calls.h"
#include "paxos/errors.h"
#include "paxos/paxos.pb.h"
#include "storage/database.h"
#include "tests/paxos/cluster.h"

namespace paxos {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::operator""ms;
using runtime::operator""s;
using testing::SizeIs;

// Logs are cut early.
HostOptions ShortLogs() {
  HostOptions options;
  options.log_retained_bytes = 4 << 10;
  options.cut_period = 100ms;
  options.snapshot_chunk_bytes_max = 1 << 10;
  return options;
}

double Counted(Cluster& cluster, int node, const std::string& name) {
  return cluster.world(node).metrics().GetCounter(name, "", {}).value();
}

void PutMany(Cluster& cluster, int count) {
  for (int i = 0; i < count; ++i) {
    cluster.Put(absl::StrCat("k", i % 50), std::string(100, static_cast<char>('a' + i % 26)));
  }
}

NodeId Node(int node) { return NodeId(static_cast<uint32_t>(node)); }
ReplicaId Self(Cluster& cluster, int node) { return cluster.group(node)->replica().self(); }

// --- Followers that lag ---

TEST(RepairTest, AFollowerThatWasAwayCatchesUpFromALog) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int away = cluster.AwaitLeader() % 3 + 1;
  cluster.world(away).Crash();
  PutMany(cluster, 100);
  cluster.world(away).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_GE(Counted(cluster, away, "isochron_paxos_fetched_total"), 90);
  EXPECT_EQ(Counted(cluster, away, "isochron_paxos_snapshots_installed_total"), 0);
}

TEST(RepairTest, AFollowerThatWasAwayTooLongInstallsASnapshot) {
  Cluster cluster(3, 1, ShortLogs());
  cluster.CreateGroup(3);
  const int away = cluster.AwaitLeader() % 3 + 1;
  cluster.world(away).Crash();
  PutMany(cluster, 300);
  cluster.RunFor(1s);
  cluster.world(away).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_EQ(Counted(cluster, away, "isochron_paxos_snapshots_installed_total"), 1);
  // It is a full member again.
  const int leader = cluster.AwaitLeader();
  const int other = 6 - away - leader;
  if (other != away && other != leader) cluster.world(other).Crash();
  cluster.Put("after", "1");
}

// How many a replica takes that was away too long, while more is written than it can accept
// meanwhile, or than a log retains.
double SnapshotsTakenUnderWrites(size_t log_given_bytes_max) {
  HostOptions options = ShortLogs();
  options.snapshot_chunk_bytes_max = 1;
  options.log_given_bytes_max = log_given_bytes_max;
  options.replica.open_slots_max = 16;
  Cluster cluster(3, 1, options);
  cluster.CreateGroup(3);
  const int away = cluster.AwaitLeader() % 3 + 1;
  cluster.world(away).Crash();
  PutMany(cluster, 300);
  cluster.RunFor(1s);
  cluster.world(away).Restart();
  const auto taken = [&] {
    return Counted(cluster, away, "isochron_paxos_snapshots_installed_total");
  };
  for (int i = 0; i < 10'000 && taken() == 0; ++i) cluster.Put("written meanwhile", "1");
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  return taken();
}

TEST(RepairTest, ASnapshotIsEnoughHoweverMuchIsWrittenMeanwhile) {
  EXPECT_GT(SnapshotsTakenUnderWrites(0), 1);
  EXPECT_EQ(SnapshotsTakenUnderWrites(HostOptions().log_given_bytes_max), 1);
}

TEST(RepairTest, ASnapshotThatACrashInterruptedIsFinished) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Cluster cluster(3, seed, ShortLogs());
    cluster.CreateGroup(3);
    const int away = cluster.AwaitLeader() % 3 + 1;
    cluster.world(away).Crash();
    PutMany(cluster, 200);
    cluster.RunFor(1s);
    cluster.world(away).Restart();
    for (int crash = 0; crash < 5; ++crash) {
      cluster.RunUntil([&] { return cluster.group(away) && !cluster.group(away)->installed(); },
                       1s);
      cluster.RunFor(Duration(100'000 * static_cast<int64_t>(seed)));
      cluster.world(away).Crash();
      cluster.RunFor(1ms);
      cluster.world(away).Restart();
    }
    EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3})) << "seed " << seed;
    EXPECT_TRUE(cluster.universe().violation().ok()) << cluster.universe().violation();
  }
}

// Begins a snapshot at node `giver`, and does not go on with it.
absl::Status BeginSnapshot(Cluster& cluster, int asker, int giver) {
  isochron::paxos::FetchSnapshotRequest request;
  request.set_group(kGroup.value());
  const auto reply =
      cluster.Await(asker, runtime::Call(&cluster.world(asker).network(), kFetchSnapshot,
                                         Node(giver), std::move(request), 1s));
  return reply ? reply->status() : absl::UnavailableError("it went down");
}

TEST(RepairTest, WhoBeginsASnapshotAnewHasGivenUpTheOneBefore) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  cluster.Put("k", "v");
  const int giver = cluster.AwaitLeader();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(BeginSnapshot(cluster, giver % 3 + 1, giver).ok());
}

TEST(RepairTest, ASnapshotThatNobodyAsksForGivesItsPlaceToAnother) {
  HostOptions options;
  options.snapshots_out_max = 1;
  Cluster cluster(3, 1, options);
  cluster.CreateGroup(3);
  cluster.Put("k", "v");
  const int giver = cluster.AwaitLeader();
  const int first = giver % 3 + 1;
  const int second = first % 3 + 1;
  EXPECT_TRUE(BeginSnapshot(cluster, first, giver).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(BeginSnapshot(cluster, second, giver)));
  // It is not idle for so long that it would be dropped for its own sake.
  cluster.RunFor(options.snapshot_idle_max / 2);
  EXPECT_TRUE(BeginSnapshot(cluster, second, giver).ok());
}

// --- Members ---

TEST(RepairTest, ALearnerJoinsCatchesUpAndBecomesAVoter) {
  Cluster cluster(4, 1, ShortLogs());
  cluster.CreateGroup(3);
  PutMany(cluster, 200);
  const int leader = cluster.AwaitLeader();
  const auto added = cluster.Await(leader, cluster.group(leader)->AddLearner(Node(4)));
  ASSERT_TRUE(added && added->ok()) << added->status();
  EXPECT_EQ(**added, ReplicaId(4));
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3, 4}));
  const auto promoted = cluster.Await(leader, cluster.group(leader)->Promote(**added));
  ASSERT_TRUE(promoted && promoted->ok()) << *promoted;
  EXPECT_EQ(cluster.group(leader)->replica().configuration().voters(), 4u);
}

TEST(RepairTest, AReplicaThatIsRemovedErasesItself) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  PutMany(cluster, 20);
  const int leader = cluster.AwaitLeader();
  const int leaving = leader % 3 + 1;
  const auto removed = cluster.Await(leader, cluster.group(leader)->Remove(Self(cluster, leaving)));
  ASSERT_TRUE(removed && removed->ok()) << *removed;
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.group(leaving) == nullptr; }, 5s));
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.program(leaving)->Registers().empty(); }));
  cluster.Put("after", "1");
  // It does not come back either.
  cluster.world(leaving).Restart();
  cluster.RunFor(2s);
  EXPECT_EQ(cluster.group(leaving), nullptr);
}

TEST(RepairTest, ARemovedReplicaThatWasAwayFindsOut) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  const int leaving = leader % 3 + 1;
  const ReplicaId replica = Self(cluster, leaving);
  cluster.world(leaving).Crash();
  const auto removed = cluster.Await(leader, cluster.group(leader)->Remove(replica));
  ASSERT_TRUE(removed && removed->ok()) << *removed;
  cluster.world(leaving).Restart();
  cluster.RunFor(10ms);
  EXPECT_TRUE(cluster.RunUntil(
      [&] { return cluster.program(leaving)->host() && cluster.group(leaving) == nullptr; }, 10s));
}

TEST(RepairTest, AnAddedNodeThatIsDownJoinsWhenItIsBack) {
  Cluster cluster(4);
  cluster.CreateGroup(3);
  cluster.world(4).Crash();
  const int leader = cluster.AwaitLeader();
  const auto added = cluster.Await(leader, cluster.group(leader)->AddLearner(Node(4)));
  ASSERT_TRUE(added && added->ok()) << added->status();
  cluster.Put("a", "1");
  cluster.world(4).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3, 4}));
}

// --- Disks ---

TEST(RepairTest, ANodeThatLostItsDiskNeverVotesAsItselfAndReturnsAsANewMember) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  PutMany(cluster, 20);
  const int leader = cluster.AwaitLeader();
  const int lost = leader % 3 + 1;
  const ReplicaId before = Self(cluster, lost);
  cluster.world(lost).Crash();
  cluster.RunFor(1ms);
  cluster.world(lost).disk().Wipe();
  cluster.world(lost).Restart();
  cluster.RunFor(5s);
  EXPECT_EQ(cluster.group(lost), nullptr);

  const int now = cluster.AwaitLeader();
  ASSERT_TRUE(cluster.Await(now, cluster.group(now)->Remove(before))->ok());
  const auto added = cluster.Await(now, cluster.group(now)->AddLearner(Node(lost)));
  ASSERT_TRUE(added && added->ok()) << added->status();
  EXPECT_NE(**added, before);
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  const auto promoted = cluster.Await(now, cluster.group(now)->Promote(**added));
  EXPECT_TRUE(promoted && promoted->ok()) << *promoted;
}

// Something of the store's own files is wrong.
void DamageStore(simulated::SimulatedDisk& disk) {
  int flipped = 0;
  for (const std::string& path : disk.Paths()) {
    if (absl::StrContains(path, "/MANIFEST-0")) flipped += disk.FlipBit(path, 300);
  }
  ASSERT_GT(flipped, 0);
}

TEST(RepairTest, ADamagedStoreIsReplacedByASnapshot) {
  Cluster cluster(3, 1, ShortLogs());
  cluster.CreateGroup(3);
  PutMany(cluster, 200);
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  cluster.RunFor(1s);
  const int damaged = cluster.AwaitLeader() % 3 + 1;
  cluster.world(damaged).Crash();
  cluster.RunFor(1s);
  DamageStore(cluster.world(damaged).disk());
  cluster.world(damaged).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_EQ(Counted(cluster, damaged, "isochron_paxos_snapshots_installed_total"), 1);
}

TEST(RepairTest, ADamagedStoreIsReplayedFromALogThatReachesBack) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  PutMany(cluster, 200);
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  const int damaged = cluster.AwaitLeader() % 3 + 1;
  cluster.world(damaged).Crash();
  cluster.RunFor(1s);
  DamageStore(cluster.world(damaged).disk());
  cluster.world(damaged).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_EQ(Counted(cluster, damaged, "isochron_paxos_snapshots_installed_total"), 0);
}

TEST(RepairTest, AStoreThatIsFoundDamagedWhileItRunsIsReplacedWhileVotesGoOn) {
  Cluster cluster(3, 1, ShortLogs());
  cluster.CreateGroup(3);
  PutMany(cluster, 200);
  cluster.RunFor(1s);
  const int damaged = cluster.AwaitLeader() % 3 + 1;
  const int other = 6 - damaged - cluster.AwaitLeader();
  // As any read would say that meets a bad block.
  const auto database = cluster.program(damaged)->host()->store()->database();
  EXPECT_FALSE((*database)->Judge(absl::DataLossError("a bad block")).ok());
  cluster.world(other).Crash();
  cluster.Put("with its vote", "1");
  cluster.world(other).Restart();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
}

TEST(RepairTest, ANodeWhoseLogLostVotesStopsAndItsReplicaIsReplaced) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  PutMany(cluster, 50);
  const int damaged = cluster.AwaitLeader() % 3 + 1;
  const ReplicaId before = Self(cluster, damaged);
  cluster.world(damaged).Crash();
  cluster.RunFor(1s);
  simulated::SimulatedDisk& disk = cluster.world(damaged).disk();
  for (const std::string& path : disk.Paths()) {
    if (!absl::EndsWith(path, ".segment")) continue;
    // Something in each page of the first ones: both copies of what stands there.
    for (uint64_t byte = 100; byte < 40'000; byte += 512) disk.FlipBit(path, byte * 8);
  }
  // Its program wipes what Host::Open() calls damaged.
  cluster.world(damaged).Restart();
  ASSERT_TRUE(cluster.RunUntil([&] {
    return cluster.program(damaged) != nullptr && cluster.program(damaged)->host() != nullptr;
  }));
  cluster.RunFor(2s);
  EXPECT_EQ(cluster.group(damaged), nullptr);
  const int leader = cluster.AwaitLeader();
  ASSERT_TRUE(cluster.Await(leader, cluster.group(leader)->Remove(before))->ok());
  const auto added = cluster.Await(leader, cluster.group(leader)->AddLearner(Node(damaged)));
  ASSERT_TRUE(added && added->ok()) << added->status();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
}

TEST(RepairTest, AFullDiskRefusesAndGoesOnWhenThereIsRoom) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  PutMany(cluster, 20);
  for (const int node : {1, 2, 3}) {
    cluster.world(node).disk().SetCapacity(cluster.world(node).disk().used_bytes() + 100);
  }
  std::vector<std::string> acknowledged;
  absl::Status refused;
  for (int i = 0; i < 20 && refused.ok(); ++i) {
    const int leader = cluster.Leader();
    if (leader == 0) break;
    refused =
        cluster.Propose(leader, absl::StrCat("full", i, "=", std::string(2000, 'x'))).status();
    if (refused.ok()) acknowledged.push_back(absl::StrCat("full", i));
  }
  EXPECT_FALSE(refused.ok());
  for (const int node : {1, 2, 3}) cluster.world(node).disk().SetCapacity(uint64_t{1} << 40);
  cluster.Put("room", "1");
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  for (const std::string& key : acknowledged) {
    EXPECT_THAT(*cluster.Read(cluster.AwaitLeader(), key), SizeIs(2000)) << key;
  }
}

}  // namespace
}  // namespace paxos
