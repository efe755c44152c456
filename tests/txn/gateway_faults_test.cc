// Transactions while nodes die, leaders change and answers are lost; and reads without locks, fresh
// and old, at whichever replica can answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/event.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "tests/trials.h"
#include "tests/txn/transaction_cluster.h"
#include "tests/txn/walk_seeds.h"

namespace txn {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::Task;
using runtime::Timestamp;
using runtime::operator""ms;
using runtime::operator""s;
using storage::GroupId;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;

NodeId Id(int node) { return NodeId(static_cast<uint32_t>(node)); }

Task<absl::StatusOr<Timestamp>> Write(Gateway* gateway, Key key, std::string value) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR(transaction->Put(key, value));
  co_return co_await transaction->Commit();
}

Timestamp MustWrite(TransactionCluster& cluster, int node, const Key& key,
                    const std::string& value) {
  const auto written = cluster.Await(node, Write(cluster.gateway(node), key, value));
  CHECK(written && written->ok()) << written->status();
  return **written;
}

struct ReadResult {
  Values values;
  Timestamp at;
};

Task<absl::StatusOr<ReadResult>> Read(Gateway* gateway, std::vector<Key> keys, ReadBound bound) {
  const std::unique_ptr<ReadOnly> reads = gateway->BeginReadOnly(bound);
  CO_ASSIGN_OR_RETURN(Values values, co_await reads->Get(std::move(keys)));
  co_return ReadResult{std::move(values), *reads->timestamp()};
}

absl::StatusOr<ReadResult> ReadAt(TransactionCluster& cluster, int node, std::vector<Key> keys,
                                  ReadBound bound) {
  const auto read = cluster.Await(node, Read(cluster.gateway(node), std::move(keys), bound));
  return read ? *read : absl::UnavailableError("the node went down");
}

std::string Text(const absl::StatusOr<ReadResult>& read) {
  if (!read.ok()) return read.status().ToString();
  std::string text;
  for (const auto& value : read->values) absl::StrAppend(&text, value.value_or("-"), " ");
  return text;
}

// --- Reads without locks ---

ReadBound Single() { return {.kind = ReadBound::Kind::kStrong, .single = true}; }

TEST(ReadOnlyTest, AStrongReadSeesAllThatWasAcknowledged) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    TransactionCluster cluster(seed);
    for (int i = 0; i < 20; ++i) {
      const std::string value = absl::StrCat(i);
      const Timestamp at = MustWrite(cluster, 1 + i % 4, "a", value);
      for (int node = 1; node <= 4; ++node) {
        EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, Single())), value + " ");
        const auto strong = ReadAt(cluster, node, {"a", "m"}, ReadBound::Strong());
        EXPECT_EQ(Text(strong), value + " - ");
        EXPECT_GE(strong->at, at);
      }
    }
  }
}

TEST(ReadOnlyTest, ReadsThePastAtAnyNode) {
  TransactionCluster cluster(1);
  const Timestamp first = MustWrite(cluster, 1, "a", "1");
  cluster.RunFor(1s);
  const Timestamp second = MustWrite(cluster, 2, "a", "2");
  for (int node = 1; node <= 4; ++node) {
    EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, ReadBound::At(first))), "1 ");
    EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, ReadBound::At(first - Duration(1)))), "- ");
    EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, ReadBound::At(second))), "2 ");
    EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, ReadBound::Stale(500ms))), "1 ");
  }
}

Task<absl::Status> ReadTwice(Gateway* gateway) {
  const std::unique_ptr<ReadOnly> reads = gateway->BeginReadOnly(ReadBound::Strong());
  CO_RETURN_IF_ERROR((co_await reads->Get({"a"})).status());
  const std::optional<Timestamp> at = reads->timestamp();
  CO_RETURN_IF_ERROR((co_await Write(gateway, "a", "later")).status());
  CO_ASSIGN_OR_RETURN(const Values values, co_await reads->Get({"a", "z"}));
  EXPECT_THAT(values, ElementsAre(Optional(std::string("1")), std::nullopt));
  EXPECT_EQ(reads->timestamp(), at);
  CO_ASSIGN_OR_RETURN(const ScanPage page,
                      co_await reads->Scan({.range = {"", ""}, .backward = true}));
  EXPECT_THAT(page.rows, ElementsAre(ScannedRow{"a", "1"}));
  EXPECT_FALSE(page.rest);
  co_return absl::OkStatus();
}

TEST(ReadOnlyTest, AllReadsAreAtOneTimestamp) {
  TransactionCluster cluster(2);
  MustWrite(cluster, 1, "a", "1");
  EXPECT_THAT(cluster.Await(4, ReadTwice(cluster.gateway(4))), Optional(absl::OkStatus()));
}

TEST(ReadOnlyTest, AReplicaThatIsCutOffFromTheLeaderStillReadsThePast) {
  TransactionCluster cluster(3);
  const Timestamp at = MustWrite(cluster, 1, "a", "1");
  cluster.RunFor(2s);
  const int follower = cluster.FollowerOf(1);
  std::vector<NodeId> others;
  for (int node = 1; node <= 4; ++node) {
    if (node != follower) others.push_back(Id(node));
  }
  cluster.universe().Partition({{Id(follower)}, others});
  const auto bounded = ReadAt(cluster, follower, {"a"}, ReadBound::Bounded(2s));
  EXPECT_EQ(Text(bounded), "1 ");
  // As new as the replica has it.
  EXPECT_GT(bounded->at, at + Duration(1s));
  EXPECT_EQ(Text(ReadAt(cluster, follower, {"a"}, ReadBound::At(at))), "1 ");
  const auto strong = ReadAt(cluster, follower, {"a"}, ReadBound::Strong());
  EXPECT_TRUE(absl::IsUnavailable(strong.status())) << Text(strong);
}

TEST(ReadOnlyTest, FreshReadsFindTheLeader) {
  TransactionCluster cluster(7);
  for (int group = 1; group <= 3; ++group) {
    const Key key(1, "ahp"[group - 1]);
    for (int node = 1; node <= 4; ++node) {
      ASSERT_EQ(Text(ReadAt(cluster, node, {key}, ReadBound::Strong())), "- ");
      const Timestamp begin = cluster.universe().true_time();
      ASSERT_EQ(Text(ReadAt(cluster, node, {key}, ReadBound::Strong())), "- ");
      EXPECT_LT(cluster.universe().true_time() - begin, 2ms);
    }
  }
}

// The nodes are 20 ms apart; what is old enough is read where the gateway is.
TEST(ReadOnlyTest, TheNearestReplicaIsAsked) {
  TransactionClusterOptions options;
  options.universe.link = {.delay_min = 20ms, .delay_mean = 0ms};
  TransactionCluster cluster(4, options);
  MustWrite(cluster, 1, "a", "1");
  cluster.RunFor(3s);
  for (const int node : {1, 2, 3}) {
    const Timestamp begin = cluster.universe().true_time();
    EXPECT_EQ(Text(ReadAt(cluster, node, {"a"}, ReadBound::Bounded(2s))), "1 ");
    EXPECT_LT(cluster.universe().true_time() - begin, 5ms);
  }
}

TEST(ReadOnlyTest, AReplicaThatDoesNotAnswerIsFollowedByTheNext) {
  TransactionCluster cluster(5);
  MustWrite(cluster, 1, "a", "1");
  cluster.RunFor(3s);
  for (const int silent : {1, 2, 3}) {
    cluster.universe().link(Id(4), Id(silent)).cut = true;
    const Timestamp begin = cluster.universe().true_time();
    EXPECT_EQ(Text(ReadAt(cluster, 4, {"a"}, ReadBound::Stale(2s))), "1 ");
    EXPECT_LT(cluster.universe().true_time() - begin, 100ms);
    cluster.universe().Heal();
    cluster.RunFor(2s);
  }
}

TEST(ReadOnlyTest, WhatIsBelowTheHorizonIsAnError) {
  TransactionClusterOptions options;
  options.host.collect_period = 100ms;
  options.shards.machine.version_retention = 1s;
  TransactionCluster cluster(6, options);
  const Timestamp at = MustWrite(cluster, 1, "a", "1");
  cluster.RunFor(5s);
  MustWrite(cluster, 1, "a", "2");
  cluster.RunFor(5s);
  const auto read = ReadAt(cluster, 4, {"a"}, ReadBound::At(at));
  EXPECT_TRUE(absl::IsOutOfRange(read.status())) << Text(read);
}

// --- TX-ALIVE ---

Task<absl::StatusOr<Timestamp>> WaitAndCommit(Gateway* gateway, Duration idle) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR((co_await transaction->Get({"a", "z"}, LockMode::kExclusive)).status());
  CO_RETURN_IF_ERROR(co_await runtime::SleepFor(idle));
  CO_RETURN_IF_ERROR(transaction->Put("a", "1"));
  co_return co_await transaction->Commit();
}

TEST(GatewayTest, ATransactionThatIsIdleIsKeptAlive) {
  TransactionCluster cluster(1);
  const auto at = cluster.Await(4, WaitAndCommit(cluster.gateway(4), 35s));
  ASSERT_TRUE(at.has_value());
  EXPECT_TRUE(at->ok()) << at->status();
}

TEST(GatewayTest, WithoutKeepAlivesItsLocksAreFreed) {
  TransactionClusterOptions options;
  options.gateway.keep_alive_every = 1000s;
  TransactionCluster cluster(1, options);
  const auto at = cluster.Await(4, WaitAndCommit(cluster.gateway(4), 35s));
  ASSERT_TRUE(at.has_value());
  EXPECT_TRUE(absl::IsAborted(at->status())) << at->status();
}

Task<void> HoldForEver(Gateway* gateway) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  EXPECT_TRUE((co_await transaction->Get({"a"}, LockMode::kExclusive)).ok());
  (co_await runtime::SleepFor(1000s)).IgnoreError();
}

Task<absl::Status> PutRow(Transaction* transaction, Key key, std::string value) {
  co_return transaction->Put(std::move(key), std::move(value));
}

TEST(GatewayTest, TheLocksOfAGatewayThatDiedAreFreed) {
  TransactionCluster cluster(2);
  cluster.Begin(4, HoldForEver(cluster.gateway(4)));
  cluster.RunFor(5s);
  cluster.world(4).Crash();
  const Timestamp died = cluster.universe().true_time();
  // Younger, and so it waits.
  const auto at = cluster.Await(1, cluster.gateway(1)->Run([](Transaction* transaction) {
    return PutRow(transaction, "a", "1");
  }));
  ASSERT_TRUE(at && at->ok()) << at->status();
  EXPECT_GT(cluster.universe().true_time() - died, 5s);
  EXPECT_LT(cluster.universe().true_time() - died, 12s);
}

Task<void> CancelAll(runtime::TaskScope* scope) {
  scope->Cancel();
  co_return;
}

TEST(GatewayTest, ATransactionThatIsDroppedFreesItsLocks) {
  TransactionCluster cluster(3);
  cluster.Begin(4, HoldForEver(cluster.gateway(4)));
  cluster.RunFor(1s);
  cluster.Begin(4, CancelAll(&cluster.program(4)->scope()));
  cluster.RunFor(1s);
  const Timestamp begin = cluster.universe().true_time();
  MustWrite(cluster, 1, "a", "2");
  EXPECT_LT(cluster.universe().true_time() - begin, 100ms);
}

// --- Leaders and answers that are lost ---

Task<absl::StatusOr<Timestamp>> CommitAfter(Gateway* gateway, std::vector<Key> keys,
                                            runtime::Event* locked, runtime::Event* go) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR((co_await transaction->Get(keys, LockMode::kExclusive)).status());
  locked->Set();
  CO_RETURN_IF_ERROR(co_await go->Wait());
  for (const Key& key : keys) CO_RETURN_IF_ERROR(transaction->Put(key, "1"));
  co_return co_await transaction->Commit();
}

Task<void> SetEvent(runtime::Event* event) {
  event->Set();
  co_return;
}

// Its locks are gone with their leader (TX-EPOCH).
TEST(GatewayTest, ATransactionWhoseLeaderChangedIsAborted) {
  for (const std::vector<Key>& keys : {std::vector<Key>{"a"}, std::vector<Key>{"a", "z"}}) {
    TransactionCluster cluster(1);
    auto end = std::make_shared<std::optional<absl::StatusOr<Timestamp>>>();
    runtime::Event locked;
    runtime::Event go;
    cluster.Begin(4, KeepResult(CommitAfter(cluster.gateway(4), keys, &locked, &go), end));
    ASSERT_TRUE(cluster.RunUntil([&] { return locked.is_set(); }));
    cluster.world(cluster.AwaitLeader(1)).Restart();
    cluster.RunFor(1s);
    cluster.AwaitLeader(1);
    cluster.Begin(4, SetEvent(&go));
    ASSERT_TRUE(cluster.RunUntil([&] { return end->has_value(); }));
    EXPECT_TRUE(absl::IsAborted((*end)->status())) << (*end)->status();
    // Nothing of it is left.
    EXPECT_EQ(Text(ReadAt(cluster, 4, {"a", "z"}, ReadBound::Strong())), "- - ");
    MustWrite(cluster, 4, "z", "2");
  }
}

// TX-ONCE: what became of a commit whose answer was lost is found out.
TEST(GatewayTest, ACommitWithoutAnAnswerIsAskedAbout) {
  for (const std::vector<Key>& keys : {std::vector<Key>{"a"}, std::vector<Key>{"a", "z"}}) {
    TransactionCluster cluster(2);
    auto end = std::make_shared<std::optional<absl::StatusOr<Timestamp>>>();
    runtime::Event locked;
    runtime::Event go;
    cluster.Begin(4, KeepResult(CommitAfter(cluster.gateway(4), keys, &locked, &go), end));
    ASSERT_TRUE(cluster.RunUntil([&] { return locked.is_set(); }));
    // What it asks arrives; what is answered does not.
    for (const int node : {1, 2, 3}) cluster.universe().link(Id(node), Id(4)).cut = true;
    cluster.Begin(4, SetEvent(&go));
    cluster.RunFor(3s);
    EXPECT_FALSE(end->has_value());
    cluster.universe().Heal();
    ASSERT_TRUE(cluster.RunUntil([&] { return end->has_value(); }));
    // The node's answer to a prepare may have been lost, too.
    ASSERT_TRUE((*end)->ok()) << (*end)->status();
    EXPECT_EQ(Text(ReadAt(cluster, 1, keys, ReadBound::At(***end))),
              keys.size() == 1 ? "1 " : "1 1 ");
  }
}

Task<absl::Status> AskForOutcomes(Gateway* gateway) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR(transaction->Put("a", "1"));
  CO_RETURN_IF_ERROR(transaction->Put("z", "1"));
  CO_ASSIGN_OR_RETURN(const Timestamp at, co_await transaction->Commit());
  CO_ASSIGN_OR_RETURN(const Outcome committed,
                      co_await gateway->Conclude(transaction->id(), *transaction->coordinator()));
  EXPECT_EQ(committed, Outcome::Committed(at));
  // One that nobody commits never does, from then on.
  const std::unique_ptr<Transaction> open = gateway->Begin();
  CO_RETURN_IF_ERROR(open->Put("a", "2"));
  CO_ASSIGN_OR_RETURN(const Outcome aborted, co_await gateway->Conclude(open->id(), GroupId(1)));
  EXPECT_FALSE(aborted.committed);
  EXPECT_TRUE(absl::IsAborted((co_await open->Commit()).status()));
  co_return absl::OkStatus();
}

TEST(GatewayTest, TellsOutcomesById) {
  TransactionCluster cluster(3);
  EXPECT_THAT(cluster.Await(4, AskForOutcomes(cluster.gateway(4))), Optional(absl::OkStatus()));
}

TEST(GatewayTest, WhatCannotBeKnownYetIsUnknown) {
  TransactionCluster cluster(4);
  auto end = std::make_shared<std::optional<absl::StatusOr<Timestamp>>>();
  runtime::Event locked;
  runtime::Event go;
  cluster.Begin(4, KeepResult(CommitAfter(cluster.gateway(4), {"a"}, &locked, &go), end));
  ASSERT_TRUE(cluster.RunUntil([&] { return locked.is_set(); }));
  for (const int node : {1, 2, 3}) cluster.universe().link(Id(node), Id(4)).cut = true;
  cluster.Begin(4, SetEvent(&go));
  ASSERT_TRUE(cluster.RunUntil([&] { return end->has_value(); }));
  EXPECT_TRUE(absl::IsUnknown((*end)->status())) << (*end)->status();
  EXPECT_THAT(std::string((*end)->status().message()), HasSubstr("not known yet"));
}

Task<absl::Status> CloseGateway(Gateway* gateway) {
  co_await gateway->Close();
  co_return absl::OkStatus();
}

TEST(GatewayTest, Closes) {
  TransactionCluster cluster(5);
  MustWrite(cluster, 4, "a", "1");
  EXPECT_THAT(cluster.Await(4, CloseGateway(cluster.gateway(4))), Optional(absl::OkStatus()));
}

// --- Walks ---

constexpr int kAccounts = 8;
constexpr int64_t kBalance = 100;

Key Account(int64_t i) { return absl::StrCat(std::string(1, static_cast<char>('c' + 3 * i)), "x"); }

struct Bank {
  int committed = 0;
  int unknown = 0;
  int failed = 0;
  int checked = 0;
  std::string wrong;
};

Task<absl::Status> TransferOnce(Transaction* transaction, Key from, Key to) {
  CO_ASSIGN_OR_RETURN(const Values values,
                      co_await transaction->Get({from, to}, LockMode::kUpdate));
  int64_t had[2] = {};
  for (size_t i = 0; i < 2; ++i) {
    if (!values[i] || !absl::SimpleAtoi(*values[i], &had[i])) {
      co_return absl::DataLossError("an account is gone");
    }
  }
  CO_RETURN_IF_ERROR(transaction->Put(from, absl::StrCat(had[0] - 1)));
  co_return transaction->Put(to, absl::StrCat(had[1] + 1));
}

Task<void> TransferForEver(Gateway* gateway, runtime::World* world, Bank* bank) {
  while (true) {
    const int64_t from = world->random().Uniform(0, kAccounts - 1);
    const int64_t to = (from + world->random().Uniform(1, kAccounts - 1)) % kAccounts;
    const absl::StatusOr<Timestamp> end =
        co_await gateway->Run([from, to](Transaction* transaction) {
          return TransferOnce(transaction, Account(from), Account(to));
        });
    if (end.ok()) ++bank->committed;
    if (absl::IsUnknown(end.status())) ++bank->unknown;
    if (!end.ok() && !absl::IsUnknown(end.status())) ++bank->failed;
    if (absl::IsDataLoss(end.status()) || absl::IsInternal(end.status())) {
      bank->wrong = end.status().ToString();
    }
    if (!(co_await runtime::SleepFor(world->random().Uniform(Duration(0), 40ms))).ok()) co_return;
  }
}

int64_t Sum(const std::vector<std::string>& balances) {
  int64_t sum = 0;
  for (const std::string& text : balances) {
    int64_t one = 0;
    sum += absl::SimpleAtoi(text, &one) ? one : 1'000'000;
  }
  return sum;
}

// By a scan with locks, or by one without.
Task<void> CheckForEver(Gateway* gateway, runtime::World* world, Bank* bank) {
  while ((co_await runtime::SleepFor(world->random().Uniform(1ms, 40ms))).ok()) {
    std::vector<std::string> balances;
    if (world->random().Chance(0.3)) {
      const std::unique_ptr<Transaction> transaction = gateway->Begin();
      const absl::StatusOr<ScanPage> page = co_await transaction->Scan({}, LockMode::kShared);
      if (!page.ok() || !(co_await transaction->Commit()).ok()) continue;
      for (const ScannedRow& row : page->rows) balances.push_back(row.value);
    } else {
      const Duration staleness = world->random().Uniform(Duration(0), 300ms);
      const std::unique_ptr<ReadOnly> reads = gateway->BeginReadOnly(
          world->random().Chance(0.5) ? ReadBound::Strong() : ReadBound::Bounded(staleness));
      const absl::StatusOr<ScanPage> page = co_await reads->Scan({});
      if (!page.ok() || page->rows.empty()) continue;
      for (const ScannedRow& row : page->rows) balances.push_back(row.value);
    }
    ++bank->checked;
    if (balances.size() != kAccounts || Sum(balances) != kAccounts * kBalance) {
      bank->wrong = absl::StrCat(balances.size(), " accounts have ", Sum(balances));
    }
  }
}

Task<absl::StatusOr<Timestamp>> OpenAccounts(Gateway* gateway) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  for (int i = 0; i < kAccounts; ++i) {
    CO_RETURN_IF_ERROR(transaction->Put(Account(i), absl::StrCat(kBalance)));
  }
  co_return co_await transaction->Commit();
}

void StartClients(TransactionCluster& cluster, int node, Bank* bank) {
  for (int i = 0; i < 3; ++i) {
    cluster.Begin(node, TransferForEver(cluster.gateway(node), &cluster.world(node), bank));
  }
  cluster.Begin(node, CheckForEver(cluster.gateway(node), &cluster.world(node), bank));
}

int total_committed = 0;
int total_unknown = 0;
int total_checked = 0;

// Crashes, partitions and lost messages, one at a time.
std::string WalkBank(uint64_t seed) {
  TransactionClusterOptions options;
  options.gateway.call_max = 5s;
  options.gateway.keep_alive_every = 500ms;
  options.shards.participant.silence_max = 2s;
  TransactionCluster cluster(seed, options);
  Bank bank;
  const auto opened = cluster.Await(1, OpenAccounts(cluster.gateway(1)));
  if (!opened || !opened->ok()) return "the accounts were not opened";
  for (int node = 1; node <= 4; ++node) StartClients(cluster, node, &bank);
  runtime::Random& random = cluster.universe().random();
  for (int step = 0; step < 6; ++step) {
    const int node = static_cast<int>(random.Uniform(1, 4));
    const int other = static_cast<int>(random.Uniform(1, 4));
    switch (random.Uniform(0, 3)) {
      case 0:
        cluster.world(node).Restart();
        if (!cluster.RunUntil([&] { return cluster.IsOpen(node); })) {
          return "a node does not come back";
        }
        StartClients(cluster, node, &bank);
        break;
      case 1:
        cluster.universe().Partition({{Id(node)}});
        if (node != other) cluster.universe().Partition({{Id(node)}, {Id(other)}});
        break;
      case 2:
        cluster.universe().link(Id(node), Id(other)).loss = 0.2;
        break;
      default:
        cluster.universe().link(Id(node), Id(other)).cut = true;
        break;
    }
    cluster.RunFor(random.Uniform(Duration(100ms), Duration(3s)));
    cluster.universe().Heal();
    cluster.RunFor(random.Uniform(Duration(10ms), Duration(1s)));
    if (!bank.wrong.empty()) return bank.wrong;
    if (!cluster.universe().violation().ok()) return cluster.universe().violation().ToString();
  }
  const int before = bank.committed;
  cluster.RunFor(6s);
  if (bank.committed < before + 200) {
    return absl::StrCat("only ", bank.committed - before, " transfers once all was well");
  }
  total_committed += bank.committed;
  total_unknown += bank.unknown;
  total_checked += bank.checked;
  return bank.wrong;
}

TEST(GatewayWalk, NoMoneyIsMadeOrLost) {
  WalkSeeds(tests::Trials(10), WalkBank);
  std::printf("%d transfers, %d unknown, %d sums\n", total_committed, total_unknown, total_checked);
}

}  // namespace
}  // namespace txn
