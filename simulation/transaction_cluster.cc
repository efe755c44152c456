#include "simulation/transaction_cluster.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "simulation/drawn_options.h"
#include "storage/store.h"
#include "workload/recorded.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::Random;
using runtime::Task;
using runtime::operator""ms;
using runtime::operator""s;
using simulated::Universe;
using storage::GroupId;

constexpr Duration kBeginning = 60s;
constexpr Duration kClocksSettle = 90s;
// The last things that clients began come to their ends, also those that think for long.
constexpr Duration kClientsEnd = 60s;
constexpr Duration kConcluded = 20s;
constexpr Duration kReplicasSettle = 20s;
// Clients that think for long hold their locks meanwhile, one after the other.
constexpr Duration kThoughts = 20s;
constexpr int kMessagesInLine = 100;
constexpr int kMessagesInTurn = 20;
// Roughly, of a group at the end.
constexpr size_t kSnapshotBytes = 128 << 10;
// See LyingHarms().
constexpr Duration kLargestLie = 3s;
constexpr int kReadAttempts = 10;
constexpr Duration kPause = 200ms;
constexpr Duration kLookEvery = 50ms;

Task<void> CountUp(Task<void> task, int* count) {
  co_await std::move(task);
  ++*count;
}

Task<void> PrepareRows(TransactionTruth* truth, TransactionNode* node) {
  workload::WorkloadClient client = node->NewClient();
  while (!(co_await truth->workload->Prepare(&client)).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  truth->open = true;
}

bool MayComeLater(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

// A row in each shard that no workload has.
std::vector<txn::Key> LifeKeys(const TransactionTruth& truth, NodeId node) {
  const workload::KeySpace space(static_cast<int>(truth.shards.size()));
  std::vector<txn::Key> keys;
  for (int shard = 0; shard < space.shards(); ++shard) {
    keys.push_back(space.At(shard, absl::StrCat("~life", node.value())));
  }
  return keys;
}

Task<absl::Status> WriteAll(std::vector<txn::Key> keys, txn::Transaction* transaction) {
  CO_RETURN_IF_ERROR((co_await transaction->Get(keys, txn::LockMode::kShared)).status());
  for (const txn::Key& key : keys) CO_RETURN_IF_ERROR(transaction->Put(key, "alive"));
  co_return absl::OkStatus();
}

}  // namespace

TransactionCluster::TransactionCluster(Universe* universe, TransactionClusterOptions options)
    : universe_(*universe), options_(options), truth_(universe, options.clocks_lie) {
  const int nodes = universe_.random().Chance(0.7) ? 3 : 5;
  const auto groups = static_cast<int>(universe_.random().Uniform(2, 4));
  for (int i = 1; i <= nodes; ++i) nodes_.emplace_back(static_cast<uint32_t>(i));
  DrawOptions();
  AddGroups(groups);
  truth_.workload = workload::MakeWorkload(options_.workload, &truth_.journal, groups);
  AddNodes();
  DrawDistances();
}

void TransactionCluster::DrawDistances() {
  const simulated::LinkFaults usual;
  distance_ = OneOf<Duration>(&universe_.random(), {usual.delay_mean, 5ms, 40ms});
  for (const NodeId from : nodes_) {
    for (const NodeId to : nodes_) {
      if (from != to) universe_.link(from, to).delay_mean = distance_;
    }
  }
}

void TransactionCluster::DrawOptions() {
  Random& random = universe_.random();
  node_options_.of_host.nodes = nodes_;
  node_options_.of_host.host = DrawHostOptions(&random);
  node_options_.of_host.host.log_given_bytes_max = OneOf<size_t>(&random, {0, 4 << 10, 1 << 30});
  node_options_.clients = static_cast<int>(random.Uniform(1, 4));
  node_options_.client.rest = OneOf<Duration>(&random, {20ms, 60ms, 200ms});
  txn::GatewayOptions& gateway = node_options_.gateway;
  gateway.call_max = OneOf<Duration>(&random, {2s, 5s, 10s});
  gateway.attempt_max = OneOf<Duration>(&random, {300ms, 1s, 2s});
  gateway.hedge_after = OneOf<Duration>(&random, {1ms, 20ms, 100ms});
  DrawShardOptions();
}

void TransactionCluster::DrawShardOptions() {
  Random& random = universe_.random();
  txn::ShardServerOptions& shards = node_options_.shards;
  shards.participant.silence_max = OneOf<Duration>(&random, {1s, 3s, 6s});
  shards.participant.guard_length = OneOf<Duration>(&random, {200ms, 1s, 2s});
  shards.participant.inquire_after = OneOf<Duration>(&random, {100ms, 500ms, 1s});
  node_options_.gateway.keep_alive_every = shards.participant.silence_max / 5;
  shards.coordinator.reports_max = OneOf<Duration>(&random, {500ms, 2s, 4s});
  shards.coordinator.outcomes_per_message = OneOf<size_t>(&random, {1, 3, 256});
  shards.coordinator.resolve_pause = OneOf<Duration>(&random, {50ms, 200ms});
  shards.coordinator.forget_every = OneOf<Duration>(&random, {10ms, 200ms, 1s});
  shards.machine.version_retention = OneOf<Duration>(&random, {15s, 3600s});
  shards.machine.recent_outcomes_max = OneOf<size_t>(&random, {2, 4'000});
  shards.machine.last_commits_max = OneOf<size_t>(&random, {2, 4'000});
  shards.machine.results_max = OneOf<size_t>(&random, {10, 1'000});
  shards.calls.attempt_max = OneOf<Duration>(&random, {300ms, 2s});
}

void TransactionCluster::AddGroups(int count) {
  const workload::KeySpace space(count);
  for (int i = 0; i < count; ++i) {
    std::vector<NodeId> members;
    const auto first = universe_.random().Uniform(0, static_cast<int64_t>(nodes_.size()) - 1);
    const size_t voters = universe_.random().Chance(0.5) ? 3 : nodes_.size();
    for (size_t j = 0; j < voters; ++j) {
      members.push_back(nodes_[(static_cast<size_t>(first) + j) % nodes_.size()]);
    }
    const GroupId group(static_cast<uint64_t>(i) + 1);
    truth_.beginning.groups.emplace(group, paxos::Configuration::Initial(members));
    truth_.shards.push_back(
        {.group = group, .range = space.RangeOf(i), .generation = 1, .nodes = members});
  }
}

void TransactionCluster::AddNodes() {
  for (const NodeId id : nodes_) {
    simulated::NodeOptions options;
    options.program = [this](runtime::World& world) {
      return std::make_unique<TransactionNode>(
          &universe_, static_cast<simulated::NodeWorld*>(&world), &truth_, node_options_);
    };
    universe_.AddNode(id, options);
  }
}

std::vector<TransactionNode*> TransactionCluster::Programs() const {
  std::vector<TransactionNode*> programs;
  for (const NodeId id : nodes_) {
    TransactionNode* const program = FindTransactionNode(universe_.node(id));
    if (program != nullptr) programs.push_back(program);
  }
  return programs;
}

bool TransactionCluster::AllHealthy() const {
  const std::vector<TransactionNode*> programs = Programs();
  return programs.size() == nodes_.size() &&
         std::all_of(programs.begin(), programs.end(),
                     [](const TransactionNode* program) { return program->healthy(); });
}

void TransactionCluster::FailForLife(absl::string_view what) {
  std::string text = absl::StrCat("LIVENESS: ", std::string(what));
  for (const NodeId id : nodes_) {
    TransactionNode* const program = FindTransactionNode(universe_.node(id));
    absl::StrAppend(&text, "; node ", id.value());
    if (program == nullptr) {
      absl::StrAppend(&text, " down");
    } else {
      absl::StrAppend(&text, program->Describe(), program->Unrest());
    }
  }
  universe_.Fail(text);
}

bool TransactionCluster::OnEveryNode(const std::function<Task<void>(TransactionNode*)>& task,
                                     Duration limit) {
  const std::vector<TransactionNode*> programs = Programs();
  const auto all = static_cast<int>(programs.size());
  int ended = 0;
  for (TransactionNode* const program : programs) program->Spawn(CountUp(task(program), &ended));
  return universe_.RunUntil([&] { return ended == all; }, limit);
}

void TransactionCluster::Open() {
  if (!universe_.RunUntil([this] { return AllHealthy(); }, kClocksSettle)) {
    return FailForLife("a node is not well although nothing has happened to it");
  }
  TransactionNode* const first = Programs().front();
  first->Spawn(PrepareRows(&truth_, first));
  if (!universe_.RunUntil([this] { return truth_.open; }, kBeginning)) {
    FailForLife("what there has to be in the beginning cannot be written");
  }
  if (options_.clocks_lie) universe_.Spawn(LookForContradictions());
}

void TransactionCluster::Chaos(std::vector<Harm> harms, Duration length) {
  if (!universe_.violation().ok()) return;
  nemesis_.emplace(&universe_, NemesisOptions{.harms = std::move(harms)});
  int ended = 0;
  universe_.Spawn(CountUp(nemesis_->Reign(length), &ended));
  // The nemesis may be at rest when its reign ends.
  universe_.RunUntil([&ended] { return ended > 0; }, length + 60s);
  universe_.experiments().SetBuggify(false);
}

void TransactionCluster::Settle() {
  if (!universe_.violation().ok()) return;
  // A clock that has lied is found out by its next reading.
  if (options_.clocks_lie) universe_.RunFor(2 * node_options_.of_host.truetime.poll_period);
  if (!universe_.RunUntil([this] { return AllHealthy(); }, kClocksSettle)) {
    FailForLife("a node is not well long after all has healed");
  }
  // What was committed at a time that is still to come is shown when that has passed.
  if (options_.clocks_lie) universe_.RunFor(kLargestLie);
}

Task<void> TransactionCluster::ProveAlive(TransactionNode* node) {
  const std::vector<txn::Key> keys = LifeKeys(truth_, node->node());
  while (true) {
    const absl::StatusOr<runtime::Timestamp> written = co_await node->gateway().Run(
        [keys](txn::Transaction* transaction) { return WriteAll(keys, transaction); });
    if (written.ok()) break;
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  while (true) {
    const auto reads = node->gateway().BeginReadOnly(txn::ReadBound::Strong());
    const absl::StatusOr<txn::Values> values = co_await reads->Get(keys);
    if (values.ok()) {
      const bool all = std::all_of(values->begin(), values->end(),
                                   [](const auto& value) { return value.has_value(); });
      if (!all) universe_.Fail("TX-EXTERNAL: a strong read misses what was acknowledged");
      co_return;
    }
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
}

void TransactionCluster::DemandLife() {
  if (!universe_.violation().ok()) return;
  const auto prove = [this](TransactionNode* node) { return ProveAlive(node); };
  Duration limit = 3 * lease() + node_options_.shards.participant.silence_max;
  if (truth_.workload->locks_ranges()) {
    // All clients take turns, each with all messages of a transaction.
    const auto clients = node_options_.clients * static_cast<int64_t>(nodes_.size());
    limit += kThoughts + clients * kMessagesInTurn * distance_;
  }
  // Where few entries are under way at a time, and each takes long.
  limit += kMessagesInLine * distance_;
  if (!OnEveryNode(prove, limit)) {
    FailForLife("three leases after all was well, a node has not written and read all shards");
  }
}

bool TransactionCluster::AllIdle() const {
  const std::vector<TransactionNode*> programs = Programs();
  return std::all_of(programs.begin(), programs.end(),
                     [](const TransactionNode* program) { return program->busy() == 0; });
}

std::string TransactionCluster::Unrest() const {
  std::string text;
  for (TransactionNode* const program : Programs()) absl::StrAppend(&text, program->Unrest());
  return text;
}

Task<void> TransactionCluster::Conclude(TransactionNode* node) {
  for (const workload::TransactionJournal::Doubt& doubt : truth_.journal.doubts()) {
    absl::StatusOr<txn::Outcome> outcome =
        co_await node->gateway().Conclude(doubt.id, doubt.coordinator);
    while (MayComeLater(outcome.status())) {
      if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
      outcome = co_await node->gateway().Conclude(doubt.id, doubt.coordinator);
    }
    if (outcome.ok()) {
      truth_.journal.Concluded(doubt, *outcome);
    } else {
      universe_.Fail(absl::StrCat("TX-ONCE: nobody knows what came of a transaction: ",
                                  outcome.status().ToString()));
    }
  }
}

Task<void> TransactionCluster::ReadAll(TransactionNode* node) {
  workload::WorkloadClient client = node->NewClient();
  while (!(co_await truth_.workload->ReadAll(&client)).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
}

void TransactionCluster::DemandRest() {
  if (!universe_.violation().ok()) return;
  truth_.quiet = true;
  if (!universe_.RunUntil([this] { return AllIdle(); }, kClientsEnd)) {
    return FailForLife("a client waits for an answer long after all has healed");
  }
  universe_.Note(truth_.journal.doubts().size());
  if (!OnEveryNode([this](TransactionNode* node) { return Conclude(node); }, kConcluded)) {
    return FailForLife("outcomes cannot be found out");
  }
  const txn::ShardServerOptions& shards = node_options_.shards;
  const Duration limit =
      shards.participant.silence_max + shards.participant.guard_length + 2 * lease() + 5s;
  if (!universe_.RunUntil([this] { return Unrest().empty(); }, limit)) {
    return FailForLife("locks, prepared transactions or outcomes stay when nothing goes on");
  }
  if (!OnEveryNode([this](TransactionNode* node) { return ReadAll(node); }, 3 * lease())) {
    return FailForLife("what was written cannot be read");
  }
  DemandEquality();
}

Task<void> TransactionCluster::ReadReplicas(TransactionNode* node, NodeId id,
                                            AllContents* contents) {
  for (const txn::ShardLocation& shard : truth_.shards) {
    if (node->host() == nullptr || node->host()->store() == nullptr) co_return;
    if (node->host()->FindGroup(shard.group) == nullptr) continue;
    absl::StatusOr<storage::View> view = node->host()->store()->NewView(shard.group);
    if (!view.ok()) co_return;
    auto shared = std::make_shared<storage::View>(*std::move(view));
    absl::StatusOr<ReplicaContents> found = co_await runtime::RunBlocking(
        &universe_.node(id).blocking(),
        [shared, range = shard.range] { return ReadContents(shared.get(), range); });
    if (found.ok()) (*contents)[{shard.group, id}] = *std::move(found);
  }
}

bool TransactionCluster::AllReadable(AllContents* contents) {
  contents->clear();
  const auto read = [this, contents](TransactionNode* node) {
    return ReadReplicas(node, node->node(), contents);
  };
  if (!OnEveryNode(read, kReplicasSettle)) return false;
  for (const txn::ShardLocation& shard : truth_.shards) {
    const auto first = contents->find({shard.group, shard.nodes.front()});
    for (const NodeId node : shard.nodes) {
      const auto found = contents->find({shard.group, node});
      if (first == contents->end() || found == contents->end()) return false;
      if (found->second.applied != first->second.applied) return false;
    }
  }
  return true;
}

void TransactionCluster::DemandEquality() {
  AllContents contents;
  // A snapshot may have to come first, each chunk with a message there and one back.
  const auto chunks =
      static_cast<int64_t>(kSnapshotBytes / node_options_.of_host.host.snapshot_chunk_bytes_max);
  const int64_t attempts = kReadAttempts + chunks * 3 * distance_ / 1s;
  for (int64_t attempt = 0; !AllReadable(&contents); ++attempt) {
    if (!universe_.violation().ok()) return;
    if (attempt == attempts) {
      return FailForLife("a replica does not catch up long after all has healed");
    }
    universe_.RunFor(1s);
  }
  for (const txn::ShardLocation& shard : truth_.shards) {
    const NodeId first = shard.nodes.front();
    for (const NodeId node : shard.nodes) {
      const std::string difference =
          Difference(contents.at({shard.group, first}), contents.at({shard.group, node}));
      if (difference.empty()) continue;
      universe_.Fail(absl::StrCat("replicas differ: group ", shard.group.value(), " on nodes ",
                                  first.value(), " and ", node.value(), ": ", difference));
    }
  }
}

void TransactionCluster::Judge() {
  if (!universe_.violation().ok()) return;
  universe_.Note(truth_.journal.committed());
  universe_.Note(truth_.journal.read_only());
  const absl::Status judged = truth_.workload->Judge();
  if (!judged.ok()) return universe_.Fail(std::string(judged.message()));
  if (options_.clocks_lie) JudgeLiars();
}

Task<void> TransactionCluster::LookForContradictions() {
  while ((co_await runtime::SleepFor(kLookEvery)).ok()) {
    for (TransactionNode* const program : Programs()) {
      contradiction_seen_ |= program->truetime().peers().contradiction_count() > 0;
    }
  }
}

void TransactionCluster::JudgeLiars() {
  if (contradiction_seen_) universe_.experiments().Probe("simulation.contradiction_seen");
  const absl::Status strict = truth_.journal.JudgeRealTime();
  if (strict.ok()) return;
  universe_.experiments().Probe("simulation.real_time_lost");
  if (contradiction_seen_) return;
  universe_.Fail(absl::StrCat("TT-CONTRADICTION: no clock was found to lie, and yet: ",
                              std::string(strict.message())));
}

}  // namespace simulation
