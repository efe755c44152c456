// Groups on simulated nodes: what their users rely on.
#include "paxos/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "paxos/errors.h"
#include "tests/paxos/cluster.h"

namespace paxos {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::Task;
using runtime::operator""ms;
using runtime::operator""s;
using testing::IsEmpty;
using testing::SizeIs;

const Duration kLease = ReplicaOptions{}.lease;

int Other(int leader) { return leader == 1 ? 2 : 1; }
// The third one of three.
int Third(int a, int b) { return 6 - a - b; }

// --- One group ---

TEST(HostTest, ThreeNodesElectALeaderAndCommit) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  cluster.Put("a", "1");
  cluster.Put("b", "2");
  EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "a"), "1");
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_THAT(cluster.program(3)->Registers(), SizeIs(2));
}

TEST(HostTest, WhoDoesNotLeadSaysWhoDoes) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  cluster.Put("a", "1");
  const absl::Status refused = cluster.Propose(Other(leader), "a=2").status();
  EXPECT_EQ(RetryOf(refused), Retry::kElsewhere) << refused;
  EXPECT_EQ(LeaderOf(refused), NodeId(static_cast<uint32_t>(leader))) << refused;
  EXPECT_EQ(RetryOf(cluster.Read(Other(leader), "a").status()), Retry::kElsewhere);
}

TEST(HostTest, WhatWasAcknowledgedIsThereAfterAllNodesCrashed) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  for (int i = 0; i < 20; ++i) cluster.Put(absl::StrCat("k", i), absl::StrCat(i));
  for (const int node : {1, 2, 3}) cluster.world(node).Crash();
  cluster.RunFor(100ms);
  for (const int node : {1, 2, 3}) cluster.world(node).Restart();
  EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "k19"), "19");
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_THAT(cluster.program(1)->Registers(), SizeIs(20));
}

TEST(HostTest, ACrashedLeaderIsReplacedWithinALeaseAndAHalfSecond) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    Cluster cluster(3, seed);
    cluster.CreateGroup(3);
    cluster.Put("a", "1");
    const int leader = cluster.AwaitLeader();
    const runtime::MonotonicTime crashed = cluster.universe().now();
    cluster.world(leader).Crash();
    cluster.RunFor(1ms);
    EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "a"), "1");
    EXPECT_LE(cluster.universe().now() - crashed, kLease + 500ms) << "seed " << seed;
  }
}

TEST(HostTest, AProposalWhoseLeaderIsCutOffEndsUnknownOrElsewhere) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  const int other = Other(leader);
  const auto id = [](int node) { return NodeId(static_cast<uint32_t>(node)); };
  cluster.universe().Partition({{id(leader)}, {id(other), id(Third(leader, other))}});
  const absl::Status cut_off = cluster.Propose(leader, "a=lost").status();
  EXPECT_EQ(RetryOf(cut_off), Retry::kUnknown) << cut_off;
  cluster.Put("a", "kept");
  cluster.universe().Heal();
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_EQ(*cluster.Read(cluster.AwaitLeader(), "a"), "kept");
}

Task<void> ProposeOnce(std::shared_ptr<Group> group, std::vector<absl::Status>* results) {
  results->push_back((co_await group->Propose("a=1", Timestamp::Min())).status());
}

Task<void> ProposeUntilChosen(std::shared_ptr<Group> group, std::string command) {
  (co_await group->Propose(std::move(command), Timestamp::Min(), Until::kChosen)).IgnoreError();
}

// Nobody waits for them to be applied, so they gather.
TEST(HostTest, WhatIsNotDueDoesNotHoldUpWhatComesBeforeIt) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  cluster.Put("a", "0");
  auto& machine = static_cast<RegisterMachine&>(cluster.group(leader)->state_machine());
  machine.batches.clear();
  for (const char* const command : {"a=1", "b=1", "c=late", "d=1", "e=late"}) {
    cluster.program(leader)->scope().Spawn(ProposeUntilChosen(cluster.group(leader), command));
  }
  EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}));
  EXPECT_THAT(machine.batches, testing::ElementsAre(2, 2, 1));
}

TEST(HostTest, ProposalsPastTheBoundAreRefusedAtOnce) {
  HostOptions options;
  options.replica.open_slots_max = 8;
  Cluster cluster(3, 1, options);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  std::vector<absl::Status> results;
  for (int i = 0; i < 20; ++i) {
    cluster.program(leader)->scope().Spawn(ProposeOnce(cluster.group(leader), &results));
  }
  cluster.RunFor(100ms);
  ASSERT_THAT(results, SizeIs(20));
  int refused = 0;
  for (const absl::Status& result : results) {
    if (result.ok()) continue;
    ++refused;
    EXPECT_TRUE(absl::IsResourceExhausted(result)) << result;
    EXPECT_EQ(RetryOf(result), Retry::kHere);
  }
  EXPECT_EQ(refused, 12);
}

// --- Handing over ---

struct WriterReport {
  int done = 0;
  Duration longest{};
  std::vector<absl::Status> errors;
};

// Writes all the time, wherever it is sent.
Task<void> WriteOn(Cluster* cluster, int node, const bool* stop, WriterReport* report) {
  while (!*stop) {
    const runtime::MonotonicTime begin = runtime::Executor::Current().Now();
    const absl::StatusOr<Proposed> written =
        *co_await cluster->Ask(node, ProposeAt(cluster->program(node), "a=1"));
    report->longest = std::max(report->longest, runtime::Executor::Current().Now() - begin);
    if (written.ok()) {
      ++report->done;
    } else if (const auto leader = LeaderOf(written.status())) {
      node = static_cast<int>(leader->value());
    } else {
      report->errors.push_back(written.status());
      co_return;
    }
  }
}

TEST(HostTest, APlannedHandOverIsQuickAndNoClientSeesAnError) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  const int successor = Other(leader);
  bool stop = false;
  WriterReport report;
  cluster.universe().Spawn(WriteOn(&cluster, leader, &stop, &report));
  cluster.RunFor(100ms);
  const auto handed_over = cluster.Await(
      leader, cluster.group(leader)->Abdicate(ReplicaId(static_cast<uint32_t>(successor))));
  EXPECT_TRUE(handed_over->ok()) << *handed_over;
  cluster.RunFor(100ms);
  EXPECT_EQ(cluster.Leader(), successor);
  stop = true;
  cluster.RunFor(1s);
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_GT(report.done, 100);
  EXPECT_LT(report.longest, 50ms);
}

TEST(HostTest, ThePreferredLeaderGetsTheLeadWhenItIsHealthy) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  const int leader = cluster.AwaitLeader();
  const int preferred = Other(leader);
  for (const int node : {1, 2, 3}) {
    cluster.group(node)->SetPreferredLeader(ReplicaId(static_cast<uint32_t>(preferred)));
  }
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.Leader() == preferred; }, 5s));
}

// --- Reads at other replicas ---

TEST(HostTest, SafeTimeAdvancesOnAnIdleFollower) {
  Cluster cluster(3);
  cluster.CreateGroup(3);
  cluster.Put("a", "1");
  const int follower = Other(cluster.AwaitLeader());
  const Timestamp now = cluster.universe().true_time();
  EXPECT_TRUE(cluster.RunUntil([&] { return cluster.group(follower)->PaxosSafeTime() > now; }, 2s));
}

// --- Many groups ---

TEST(HostTest, ManyGroupsShareMessagesAndSaves) {
  Cluster cluster(3);
  constexpr uint64_t kGroups = 100;
  for (uint64_t id = 1; id <= kGroups; ++id) cluster.CreateGroup(3, storage::GroupId(id));
  for (uint64_t id = 1; id <= kGroups; ++id) cluster.AwaitLeader(storage::GroupId(id));
  for (uint64_t id = 1; id <= kGroups; ++id) cluster.Put("a", "1", storage::GroupId(id));
  for (uint64_t id = 1; id <= kGroups; ++id) {
    EXPECT_TRUE(cluster.AwaitEqual({1, 2, 3}, storage::GroupId(id)));
  }
  EXPECT_TRUE(cluster.universe().violation().ok()) << cluster.universe().violation();
  // Idle, they renew their leases in the same turns, by the same messages and saves.
  const uint64_t before = cluster.universe().events();
  cluster.RunFor(10s);
  const double events = static_cast<double>(cluster.universe().events() - before);
  EXPECT_LT(events / (10.0 * kGroups), 5) << "events in a second, for each group";
}

}  // namespace
}  // namespace paxos
