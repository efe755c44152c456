// Read-write transactions, from a gateway through the shards and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "tests/txn/transaction_cluster.h"

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

using Rows = std::vector<std::pair<Key, std::string>>;

std::vector<std::string> Texts(const ScanPage& page) {
  std::vector<std::string> texts;
  for (const ScannedRow& row : page.rows) texts.push_back(absl::StrCat(row.key, "=", row.value));
  return texts;
}

Task<absl::Status> PutRows(Transaction* transaction, Rows rows) {
  for (auto& [key, value] : rows) CO_RETURN_IF_ERROR(transaction->Put(key, value));
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Timestamp>> Write(Gateway* gateway, Rows rows) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR(co_await PutRows(transaction.get(), std::move(rows)));
  co_return co_await transaction->Commit();
}

Task<absl::StatusOr<Values>> ReadNow(Gateway* gateway, std::vector<Key> keys) {
  const std::unique_ptr<ReadOnly> reads = gateway->BeginReadOnly({});
  co_return co_await reads->Get(std::move(keys));
}

Timestamp MustWrite(TransactionCluster& cluster, int node, Rows rows) {
  const auto written = cluster.Await(node, Write(cluster.gateway(node), std::move(rows)));
  CHECK(written && written->ok()) << written->status();
  return **written;
}

Values MustRead(TransactionCluster& cluster, int node, std::vector<Key> keys) {
  const auto read = cluster.Await(node, ReadNow(cluster.gateway(node), std::move(keys)));
  CHECK(read && read->ok()) << read->status();
  return **read;
}

// --- One transaction ---

Task<absl::Status> ReadOwnWrites(Gateway* gateway) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR(transaction->Put("a", "own"));
  CO_RETURN_IF_ERROR(transaction->Delete("m"));
  CO_ASSIGN_OR_RETURN(const Values values,
                      co_await transaction->Get({"a", "m", "z", "a"}, LockMode::kShared));
  EXPECT_THAT(values, ElementsAre(Optional(std::string("own")), std::nullopt,
                                  Optional(std::string("stored")), Optional(std::string("own"))));
  const Transaction::Savepoint savepoint = transaction->Save();
  CO_RETURN_IF_ERROR(transaction->Put("z", "own"));
  CO_RETURN_IF_ERROR(transaction->Put("a", "later"));
  transaction->RollBackTo(savepoint);
  CO_ASSIGN_OR_RETURN(const Values again, co_await transaction->Get({"a", "z"}, LockMode::kUpdate));
  EXPECT_THAT(again, ElementsAre(Optional(std::string("own")), Optional(std::string("stored"))));
  co_return (co_await transaction->Commit()).status();
}

TEST(Transactions, ReadTheirOwnWritesAndRollBackToSavepoints) {
  TransactionCluster cluster(1);
  MustWrite(cluster, 4, {{"a", "stored"}, {"m", "stored"}, {"z", "stored"}});
  EXPECT_THAT(cluster.Await(4, ReadOwnWrites(cluster.gateway(4))), Optional(absl::OkStatus()));
  EXPECT_THAT(
      MustRead(cluster, 1, {"a", "m", "z"}),
      ElementsAre(Optional(std::string("own")), std::nullopt, Optional(std::string("stored"))));
}

Task<absl::Status> ScanOwnWrites(Gateway* gateway) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_RETURN_IF_ERROR(transaction->Put("h", "own"));
  CO_RETURN_IF_ERROR(transaction->Delete("k"));
  CO_RETURN_IF_ERROR(transaction->Put("x", "own"));
  CO_ASSIGN_OR_RETURN(const ScanPage all, co_await transaction->Scan({}, LockMode::kShared));
  EXPECT_THAT(Texts(all), ElementsAre("a=1", "c=1", "h=own", "m=1", "q=1", "x=own", "z=1"));
  EXPECT_FALSE(all.rest);
  CO_ASSIGN_OR_RETURN(
      const ScanPage last,
      co_await transaction->Scan({.range = {"b", ""}, .backward = true, .rows_max = 4},
                                 LockMode::kShared));
  EXPECT_THAT(Texts(last), ElementsAre("z=1", "x=own", "q=1", "m=1"));
  EXPECT_TRUE(last.rest.has_value());
  CO_ASSIGN_OR_RETURN(
      const ScanPage rest,
      co_await transaction->Scan({.range = *last.rest, .backward = true}, LockMode::kShared));
  EXPECT_THAT(Texts(rest), ElementsAre("h=own", "c=1"));
  co_return (co_await transaction->Commit()).status();
}

TEST(Transactions, ScanAllShardsWithTheirOwnWritesLaidOver) {
  TransactionCluster cluster(2);
  MustWrite(cluster, 1, {{"a", "1"}, {"c", "1"}, {"k", "1"}, {"m", "1"}, {"q", "1"}, {"z", "1"}});
  EXPECT_THAT(cluster.Await(4, ScanOwnWrites(cluster.gateway(4))), Optional(absl::OkStatus()));
  EXPECT_THAT(MustRead(cluster, 2, {"k", "x"}),
              ElementsAre(std::nullopt, Optional(std::string("own"))));
}

Task<absl::Status> UseAfterTheEnd(Gateway* gateway) {
  const std::unique_ptr<Transaction> committed = gateway->Begin();
  CO_RETURN_IF_ERROR(committed->Put("a", "1"));
  CO_RETURN_IF_ERROR((co_await committed->Commit()).status());
  EXPECT_TRUE(absl::IsFailedPrecondition((co_await committed->Commit()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(committed->Put("a", "2")));
  const std::unique_ptr<Transaction> rolled_back = gateway->Begin();
  CO_RETURN_IF_ERROR(rolled_back->Put("a", "2"));
  co_await rolled_back->Rollback();
  EXPECT_TRUE(absl::IsFailedPrecondition((co_await rolled_back->Commit()).status()));
  const std::unique_ptr<Transaction> empty = gateway->Begin();
  const absl::StatusOr<Timestamp> nothing = co_await empty->Commit();
  EXPECT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_FALSE(empty->coordinator().has_value());
  co_return absl::OkStatus();
}

TEST(Transactions, EndOnce) {
  TransactionCluster cluster(3);
  EXPECT_THAT(cluster.Await(4, UseAfterTheEnd(cluster.gateway(4))), Optional(absl::OkStatus()));
  EXPECT_THAT(MustRead(cluster, 1, {"a"}), ElementsAre(Optional(std::string("1"))));
}

// --- Commits ---

// The nodes are 10 ms apart: to the leader and back, and a majority's answer in between.
TEST(Transactions, ACommitInOneGroupTakesOneRound) {
  TransactionClusterOptions options;
  options.universe.link = {.delay_min = 10ms, .delay_mean = 0ms};
  TransactionCluster cluster(4, options);
  MustWrite(cluster, 4, {{"a", "0"}});
  const Timestamp begin = cluster.universe().true_time();
  MustWrite(cluster, 4, {{"a", "1"}, {"b", "1"}});
  EXPECT_LT(cluster.universe().true_time() - begin, 48ms);
  EXPECT_GE(cluster.universe().true_time() - begin, 40ms);
}

Task<absl::Status> Transfer(Transaction* transaction, Key from, Key to, int64_t amount) {
  CO_ASSIGN_OR_RETURN(const Values values,
                      co_await transaction->Get({from, to}, LockMode::kUpdate));
  int64_t had[2] = {};
  for (size_t i = 0; i < 2; ++i) {
    if (values[i] && !absl::SimpleAtoi(*values[i], &had[i])) {
      co_return absl::DataLossError("no number");
    }
  }
  CO_RETURN_IF_ERROR(transaction->Put(from, absl::StrCat(had[0] - amount)));
  co_return transaction->Put(to, absl::StrCat(had[1] + amount));
}

Task<absl::StatusOr<Timestamp>> RunTransfer(Gateway* gateway, Key from, Key to, int64_t amount) {
  co_return co_await gateway->Run([from, to, amount](Transaction* transaction) {
    return Transfer(transaction, from, to, amount);
  });
}

Task<absl::StatusOr<Values>> ReadAt(Gateway* gateway, std::vector<Key> keys, ReadBound bound) {
  const std::unique_ptr<ReadOnly> reads = gateway->BeginReadOnly(bound);
  co_return co_await reads->Get(std::move(keys));
}

TEST(Transactions, ATransferBetweenTwoGroupsIsSeenWholeOrNotAtAll) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    TransactionCluster cluster(seed);
    MustWrite(cluster, 1, {{"a", "100"}, {"z", "100"}});
    const auto at = cluster.Await(4, RunTransfer(cluster.gateway(4), "a", "z", 30));
    ASSERT_TRUE(at && at->ok()) << at->status();
    EXPECT_THAT(MustRead(cluster, 2, {"a", "z"}),
                ElementsAre(Optional(std::string("70")), Optional(std::string("130"))));
    for (const auto& [time, a, z] :
         {std::tuple(**at, "70", "130"), std::tuple(**at - Duration(1), "100", "100")}) {
      const auto read =
          cluster.Await(3, ReadAt(cluster.gateway(3), {"a", "z"}, ReadBound::At(time)));
      ASSERT_TRUE(read && read->ok()) << read->status();
      EXPECT_THAT(**read, ElementsAre(Optional(std::string(a)), Optional(std::string(z))));
    }
  }
}

// Writes in one group what it read in another (TX-READ-GUARD).
Task<absl::Status> CopyRow(Transaction* transaction, Key from, Key to) {
  CO_ASSIGN_OR_RETURN(const Values values, co_await transaction->Get({from}, LockMode::kShared));
  co_return transaction->Put(to, values[0].value_or("-"));
}

TEST(Transactions, CommitInOneGroupWhatWasReadInAnother) {
  TransactionCluster cluster(6);
  MustWrite(cluster, 1, {{"a", "100"}});
  const auto at = cluster.Await(4, cluster.gateway(4)->Run([](Transaction* transaction) {
    return CopyRow(transaction, "a", "m");
  }));
  ASSERT_TRUE(at && at->ok()) << at->status();
  EXPECT_THAT(MustRead(cluster, 2, {"m"}), ElementsAre(Optional(std::string("100"))));
  // The read lock is free.
  MustWrite(cluster, 2, {{"a", "200"}});
}

// --- Conflicts ---

Task<absl::Status> WoundTheYounger(Gateway* gateway) {
  const std::unique_ptr<Transaction> older = gateway->Begin();
  const std::unique_ptr<Transaction> younger = gateway->Begin();
  CO_RETURN_IF_ERROR((co_await younger->Get({"a"}, LockMode::kExclusive)).status());
  CO_RETURN_IF_ERROR(older->Put("a", "older"));
  CO_RETURN_IF_ERROR((co_await older->Commit()).status());
  CO_RETURN_IF_ERROR(younger->Put("a", "younger"));
  const absl::StatusOr<Timestamp> lost = co_await younger->Commit();
  EXPECT_TRUE(absl::IsAborted(lost.status())) << lost.status();
  EXPECT_THAT(std::string(lost.status().message()), HasSubstr(ToText(younger->id())));
  // Again, in the same words.
  EXPECT_EQ((co_await younger->Get({"b"}, LockMode::kShared)).status(), lost.status());
  co_return absl::OkStatus();
}

TEST(Transactions, TheYoungerIsWoundedAndHearsWhy) {
  TransactionCluster cluster(7);
  EXPECT_THAT(cluster.Await(4, WoundTheYounger(cluster.gateway(4))), Optional(absl::OkStatus()));
  EXPECT_THAT(MustRead(cluster, 1, {"a"}), ElementsAre(Optional(std::string("older"))));
}

// The first attempt is wounded by one that is older.
Task<absl::Status> BeWoundedOnce(Transaction* transaction, std::unique_ptr<Transaction>* older,
                                 std::vector<Age>* ages) {
  ages->push_back(transaction->age());
  CO_RETURN_IF_ERROR((co_await transaction->Get({"a"}, LockMode::kExclusive)).status());
  if (*older != nullptr) {
    CO_RETURN_IF_ERROR((*older)->Put("a", "older"));
    CO_RETURN_IF_ERROR((co_await (*older)->Commit()).status());
    older->reset();
  }
  co_return transaction->Put("a", "younger");
}

Task<absl::Status> RunWounded(Gateway* gateway, std::vector<Age>* ages) {
  std::unique_ptr<Transaction> older = gateway->Begin();
  co_return (co_await gateway->Run([&older, ages](Transaction* transaction) {
    return BeWoundedOnce(transaction, &older, ages);
  })).status();
}

TEST(Transactions, RunTriesAgainWithTheAgeKept) {
  TransactionCluster cluster(8);
  std::vector<Age> ages;
  EXPECT_THAT(cluster.Await(4, RunWounded(cluster.gateway(4), &ages)), Optional(absl::OkStatus()));
  ASSERT_EQ(ages.size(), 2u);
  EXPECT_EQ(ages[0], ages[1]);
  EXPECT_THAT(MustRead(cluster, 1, {"a"}), ElementsAre(Optional(std::string("younger"))));
}

Task<absl::Status> Increment(Transaction* transaction, Key key) {
  CO_ASSIGN_OR_RETURN(const Values values, co_await transaction->Get({key}, LockMode::kShared));
  int64_t value = 0;
  if (values[0] && !absl::SimpleAtoi(*values[0], &value)) co_return absl::DataLossError("number");
  co_return transaction->Put(key, absl::StrCat(value + 1));
}

Task<void> IncrementOften(Gateway* gateway, Key key, int times, int* done) {
  for (int i = 0; i < times; ++i) {
    const absl::StatusOr<Timestamp> at = co_await gateway->Run(
        [key](Transaction* transaction) { return Increment(transaction, key); });
    EXPECT_TRUE(at.ok()) << at.status();
    ++*done;
  }
}

TEST(Transactions, NoUpdateIsLost) {
  TransactionCluster cluster(9);
  int done = 0;
  for (int node = 1; node <= 4; ++node) {
    cluster.Begin(node, IncrementOften(cluster.gateway(node), "a", 25, &done));
    cluster.Begin(node, IncrementOften(cluster.gateway(node), "a", 25, &done));
  }
  ASSERT_TRUE(cluster.RunUntil([&] { return done == 200; })) << done;
  EXPECT_THAT(MustRead(cluster, 1, {"a"}), ElementsAre(Optional(std::string("200"))));
}

// Two transactions that read in both groups and write in one must not both commit.
Task<absl::StatusOr<Timestamp>> OneMoreIfNone(Gateway* gateway, Key own, Key other) {
  const std::unique_ptr<Transaction> transaction = gateway->Begin();
  CO_ASSIGN_OR_RETURN(const Values values,
                      co_await transaction->Get({own, other}, LockMode::kShared));
  if (values[0] || values[1]) co_return absl::AlreadyExistsError("there is one");
  CO_RETURN_IF_ERROR(transaction->Put(own, "1"));
  co_return co_await transaction->Commit();
}

Task<void> KeepStatus(Task<absl::StatusOr<Timestamp>> task, std::vector<absl::Status>* ends) {
  ends->push_back((co_await std::move(task)).status());
}

TEST(Transactions, ThereIsNoWriteSkew) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    TransactionCluster cluster(seed);
    std::vector<absl::Status> ends;
    cluster.Begin(1, KeepStatus(OneMoreIfNone(cluster.gateway(1), "a", "z"), &ends));
    cluster.Begin(4, KeepStatus(OneMoreIfNone(cluster.gateway(4), "z", "a"), &ends));
    ASSERT_TRUE(cluster.RunUntil([&] { return ends.size() == 2; }));
    EXPECT_FALSE(ends[0].ok() && ends[1].ok()) << "seed " << seed;
    const Values values = MustRead(cluster, 2, {"a", "z"});
    EXPECT_FALSE(values[0] && values[1]) << "seed " << seed;
  }
}

// --- Bounds ---

Task<absl::Status> OpenTooMany(Gateway* gateway) {
  std::vector<std::unique_ptr<Transaction>> open;
  for (size_t i = 0; i < gateway->options().transactions_max; ++i) {
    open.push_back(gateway->Begin());
  }
  const std::unique_ptr<Transaction> refused = gateway->Begin();
  EXPECT_TRUE(
      absl::IsResourceExhausted((co_await refused->Get({"a"}, LockMode::kShared)).status()));
  open.pop_back();
  const std::unique_ptr<Transaction> taken = gateway->Begin();
  co_return (co_await taken->Get({"a"}, LockMode::kShared)).status();
}

TEST(Transactions, TooManyAreRefused) {
  TransactionClusterOptions options;
  options.gateway.transactions_max = 3;
  TransactionCluster cluster(10, options);
  EXPECT_THAT(cluster.Await(4, OpenTooMany(cluster.gateway(4))), Optional(absl::OkStatus()));
}

}  // namespace
}  // namespace txn
