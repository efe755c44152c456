#include "tests/bench/txn/workloads.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/status_macros.h"
#include "runtime/when.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/report.h"
#include "tests/bench/txn/shard_tenant.h"
#include "txn/commands.h"

namespace bench {
namespace {

using runtime::Task;
using txn::Key;
using txn::LockMode;

int64_t BalanceOf(const std::optional<std::string>& value) {
  int64_t balance = 0;
  if (value && !absl::SimpleAtoi(*value, &balance)) balance = 0;
  return balance;
}

Key DrawKey(Node* node, int shard, uint64_t keys) {
  return KeyIn(shard, static_cast<uint64_t>(
                          node->world().random().Uniform(0, static_cast<int64_t>(keys) - 1)));
}

// Takes from one row and gives to the other.
Task<absl::Status> Transfer(txn::Transaction* transaction, Key from, Key to) {
  std::vector<Key> keys;
  keys.push_back(from);
  keys.push_back(to);
  CO_ASSIGN_OR_RETURN(const txn::Values values,
                      co_await transaction->Get(std::move(keys), LockMode::kExclusive));
  CO_RETURN_IF_ERROR(transaction->Put(std::move(from), absl::StrCat(BalanceOf(values[0]) - 1)));
  co_return transaction->Put(std::move(to), absl::StrCat(BalanceOf(values[1]) + 1));
}

Task<absl::Status> Increment(txn::Transaction* transaction, Key key) {
  std::vector<Key> keys(1, key);
  CO_ASSIGN_OR_RETURN(const txn::Values values,
                      co_await transaction->Get(std::move(keys), LockMode::kExclusive));
  co_return transaction->Put(std::move(key), absl::StrCat(BalanceOf(values[0]) + 1));
}

Task<absl::Status> WriteOne(Node* node, const OneByOne* how) {
  const std::unique_ptr<txn::Transaction> transaction = GatewayOf(node).Begin();
  CO_RETURN_IF_ERROR(transaction->Put(DrawKey(node, 1, how->keys), "1"));
  co_return (co_await transaction->Commit()).status();
}

Task<absl::Status> TransferOne(Node* node, const OneByOne* how) {
  const std::unique_ptr<txn::Transaction> transaction = GatewayOf(node).Begin();
  CO_RETURN_IF_ERROR(co_await Transfer(transaction.get(), DrawKey(node, 1, how->keys),
                                       DrawKey(node, 2, how->keys)));
  co_return (co_await transaction->Commit()).status();
}

Task<absl::Status> ReadOne(Node* node, const OneByOne* how, int shard, txn::ReadBound bound) {
  const std::unique_ptr<txn::ReadOnly> reads = GatewayOf(node).BeginReadOnly(bound);
  co_return (co_await reads->Get(std::vector<Key>(1, DrawKey(node, shard, how->keys)))).status();
}

Task<absl::Status> ReadNewestOne(Node* node, const OneByOne* how) {
  txn::ReadBound bound = txn::ReadBound::Strong();
  bound.single = true;
  return ReadOne(node, how, 1, bound);
}

Task<absl::Status> ReadStaleOne(Node* node, const OneByOne* how) {
  return ReadOne(node, how, 2, txn::ReadBound::Stale(std::chrono::seconds(1)));
}

Task<absl::Status> ReplicateOne(Node* node, const OneByOne*) {
  const std::shared_ptr<paxos::Group> group = FindGroup(node, storage::GroupId(1));
  co_return (co_await group->Propose(txn::EncodeCommand(txn::Forget{}), runtime::Timestamp::Min()))
      .status();
}

using One = Task<absl::Status> (*)(Node* node, const OneByOne* how);

Task<absl::Status> Repeat(Node* node, OneByOne how, One one) {
  for (int i = 0; i < how.count; ++i) {
    const double begin = Now();
    CO_RETURN_IF_ERROR(co_await one(node, &how));
    how.latencies->Add((Now() - begin) * 1e6);
  }
  co_return absl::OkStatus();
}

// Counts the attempts of one transaction.
struct Attempts {
  int count = 0;
};

using Body = Task<absl::Status> (*)(Node* node, txn::Transaction* transaction,
                                    const ManyClients* how);

Task<absl::Status> RunClient(Node* node, const ManyClients* how, Body body, ManyResult* result) {
  const double end = Now() + how->seconds;
  while (Now() < end) {
    const double begin = Now();
    Attempts attempts;
    const absl::StatusOr<runtime::Timestamp> committed =
        co_await GatewayOf(node).Run([&attempts, node, body, how](txn::Transaction* transaction) {
          ++attempts.count;
          return body(node, transaction, how);
        });
    CO_RETURN_IF_ERROR(committed.status());
    ++result->committed;
    result->attempts.push_back(attempts.count);
    result->latencies.Add((Now() - begin) * 1e6);
  }
  co_return absl::OkStatus();
}

// Proposals of 200 bytes, as `isochron bench paxos` makes them, by whom there is nothing to wait for.
Task<absl::Status> RunProposer(Node* node, const ManyClients* how, ManyResult* result) {
  const std::shared_ptr<paxos::Group> group = FindGroup(node, storage::GroupId(1));
  const double end = Now() + how->seconds;
  while (Now() < end) {
    txn::Abort filler{.id = {.begun = runtime::Timestamp(static_cast<int64_t>(result->committed)),
                             .gateway = node->id(),
                             .sequence = result->committed},
                      .why = std::string(160, '.')};
    CO_RETURN_IF_ERROR(
        (co_await group->Propose(txn::EncodeCommand(std::move(filler)), runtime::Timestamp::Min()))
            .status());
    ++result->committed;
  }
  co_return absl::OkStatus();
}

Task<absl::Status> TransferBody(Node* node, txn::Transaction* transaction, const ManyClients* how) {
  const auto from = static_cast<int>(node->world().random().Uniform(1, how->shards));
  auto to = static_cast<int>(node->world().random().Uniform(1, how->shards - 1));
  if (to >= from) ++to;
  return Transfer(transaction, DrawKey(node, from, how->keys_per_shard),
                  DrawKey(node, to, how->keys_per_shard));
}

Task<absl::Status> HotKeyBody(Node*, txn::Transaction* transaction, const ManyClients*) {
  return Increment(transaction, KeyIn(1, 0));
}

Task<absl::StatusOr<ManyResult>> RunMany(Node* node, ManyClients how, Body body) {
  ManyResult result;
  const double begin = Now();
  std::vector<Task<absl::Status>> clients;
  for (int i = 0; i < how.clients; ++i) clients.push_back(RunClient(node, &how, body, &result));
  for (absl::Status& ended : co_await runtime::WhenAll(std::move(clients))) {
    if (!ended.ok()) co_return ended;
  }
  result.seconds = Now() - begin;
  co_return result;
}

}  // namespace

Task<absl::Status> WriteInOneShard(Node* node, OneByOne how) { return Repeat(node, how, WriteOne); }

Task<absl::Status> TransferBetweenShards(Node* node, OneByOne how) {
  return Repeat(node, how, TransferOne);
}

Task<absl::Status> ReadNewest(Node* node, OneByOne how) { return Repeat(node, how, ReadNewestOne); }

Task<absl::Status> ReadStale(Node* node, OneByOne how) { return Repeat(node, how, ReadStaleOne); }

Task<absl::Status> Replicate(Node* node, OneByOne how) { return Repeat(node, how, ReplicateOne); }

Task<absl::StatusOr<ManyResult>> RunTransfers(Node* node, ManyClients how) {
  return RunMany(node, how, TransferBody);
}

Task<absl::StatusOr<ManyResult>> RunProposals(Node* node, ManyClients how) {
  ManyResult result;
  const double begin = Now();
  std::vector<Task<absl::Status>> clients;
  for (int i = 0; i < how.clients; ++i) clients.push_back(RunProposer(node, &how, &result));
  for (absl::Status& ended : co_await runtime::WhenAll(std::move(clients))) {
    if (!ended.ok()) co_return ended;
  }
  result.seconds = Now() - begin;
  co_return result;
}

Task<absl::StatusOr<ManyResult>> RunHotKey(Node* node, ManyClients how) {
  return RunMany(node, how, HotKeyBody);
}

}  // namespace bench
