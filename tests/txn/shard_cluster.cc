#include "tests/txn/shard_cluster.h"

#include <algorithm>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "paxos/errors.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "tests/txn/wide_source.h"
#include "txn/errors.h"

namespace txn {

using runtime::NodeId;
using runtime::Task;
using runtime::operator""ms;
using runtime::operator""ns;
using runtime::operator""s;

namespace {

// TX-COMMIT-TS: at a timestamp of at least Now().latest.
Task<absl::StatusOr<CommandResult>> ProposeAt(ShardNode* node, std::string command,
                                              Timestamp at_least) {
  const std::shared_ptr<paxos::Group> group = node->group();
  at_least = std::max(at_least, node->truetime().Now().latest);
  CO_ASSIGN_OR_RETURN(
      const paxos::Proposed proposed,
      co_await runtime::WithTimeout(5s, group->Propose(std::move(command), at_least)));
  const auto& machine = static_cast<const ShardMachine&>(group->state_machine());
  const std::optional<CommandResult> result = machine.ResultOf(proposed.slot);
  if (!result) co_return absl::UnknownError("the result is not here");
  co_return *result;
}

Task<void> ProposeAndLeave(ShardNode* node, std::string command) {
  (co_await ProposeAt(node, std::move(command), Timestamp::Min())).IgnoreError();
}

Task<absl::StatusOr<std::string>> ReadAt(std::shared_ptr<paxos::Group> group, Key key,
                                         Timestamp at) {
  const auto& machine = static_cast<const ShardMachine&>(group->state_machine());
  for (int attempt = 0;; ++attempt) {
    absl::StatusOr<ShardRead> read = machine.NewRead({PointRange(key)}, at, group->PaxosSafeTime());
    if (read.ok()) {
      CO_ASSIGN_OR_RETURN(const auto cells, read->Get({key}));
      co_return cells[0] ? cells[0]->value : "-";
    }
    if (!absl::IsUnavailable(read.status()) || attempt == 1000) co_return read.status();
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(5ms));
  }
}

}  // namespace

void ShardWitness::HasEnded(const Ended& one) {
  ended.emplace(one.id, universe_.true_time());
  if (one.outcome.committed && *one.outcome.committed >= universe_.true_time()) {
    universe_.Fail(absl::StrCat("TX-COMMIT-WAIT: ", ToText(one.id), " is shown before its time"));
  }
}

// --- ShardNode ---

ShardNode::ShardNode(simulated::Universe* universe, simulated::NodeWorld* world,
                     const ShardClusterOptions* options, bool founder)
    : world_(*world),
      options_(*options),
      founder_(founder),
      truetime_(world, std::make_unique<WideSource>(universe, world, options->epsilon), {}),
      witness_(universe),
      scope_(world->loop(0)) {
  world_.network().SetClockStamper(&truetime_);
  truetime_.Start();
  scope_.Spawn(Main());
}

ShardNode::~ShardNode() { world_.network().SetClockStamper(nullptr); }

Task<void> ShardNode::Main() {
  while (host_ == nullptr) {
    absl::StatusOr<std::unique_ptr<paxos::Host>> host = co_await paxos::Host::Open(
        &world_, &truetime_,
        [this](storage::GroupId group) {
          auto machine = std::make_unique<ShardMachine>(
              &world_, &truetime_, group, founder_ ? options_.founding : ShardDescriptor(),
              options_.shard);
          // The node outlives its machines.
          machine->SetListener(std::shared_ptr<ShardListener>(std::shared_ptr<void>(), &witness_));
          return machine;
        },
        options_.host);
    if (host.ok()) {
      host_ = *std::move(host);
    } else if (!(co_await runtime::SleepFor(100ms)).ok()) {
      co_return;
    }
  }
}

std::shared_ptr<paxos::Group> ShardNode::group() {
  return host_ == nullptr ? nullptr : host_->FindGroup(kShardGroup);
}

// --- ShardCluster ---

ShardCluster::ShardCluster(uint64_t seed, ShardClusterOptions options)
    : options_(std::move(options)), universe_(seed, options_.universe) {
  std::vector<NodeId> founders;
  for (uint32_t node = 1; node <= 4; ++node) {
    simulated::NodeOptions node_options;
    const bool founder = node <= 3;
    if (founder) founders.emplace_back(node);
    node_options.program = [this, founder](runtime::World& world) {
      return std::make_unique<ShardNode>(&universe_, static_cast<simulated::NodeWorld*>(&world),
                                         &options_, founder);
    };
    universe_.AddNode(NodeId(node), node_options);
  }
  CHECK(RunUntil([&] {
    for (int node = 1; node <= 4; ++node) {
      if (program(node) == nullptr || program(node)->host() == nullptr) return false;
    }
    return true;
  })) << universe_.violation();
  const auto configuration = paxos::Configuration::Initial(founders);
  for (const int node : {1, 2, 3}) {
    const auto created =
        Await(node, program(node)->host()->CreateGroup(kShardGroup, configuration));
    CHECK(created && created->ok()) << created->status();
  }
}

std::shared_ptr<paxos::Group> ShardCluster::group(int node) {
  return program(node) == nullptr ? nullptr : program(node)->group();
}

ShardMachine& ShardCluster::machine(int node) {
  return static_cast<ShardMachine&>(group(node)->state_machine());
}

bool ShardCluster::RunUntil(const std::function<bool()>& condition) {
  return universe_.RunUntil(condition, 60s);
}

int ShardCluster::AwaitLeader() {
  int leader = 0;
  const bool found = RunUntil([&] {
    for (int node = 1; node <= 4; ++node) {
      if (world(node).running() && group(node) != nullptr && group(node)->leading()) {
        leader = node;
        return true;
      }
    }
    return false;
  });
  CHECK(found) << "nobody leads; " << universe_.violation();
  return leader;
}

CommandResult ShardCluster::Do(const ShardCommand& command, Timestamp at_least) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    const int leader = AwaitLeader();
    const auto result = Await(leader, ProposeAt(program(leader), EncodeCommand(command), at_least));
    if (result && result->ok()) return **result;
    RunFor(50ms);
  }
  CHECK(false) << "the command was never applied; " << universe_.violation();
  return {};
}

void ShardCluster::BeginRaw(int node, std::string command) {
  program(node)->scope().Spawn(ProposeAndLeave(program(node), std::move(command)));
}

absl::StatusOr<std::string> ShardCluster::Read(int node, const Key& key, Timestamp at) {
  const auto value = Await(node, ReadAt(group(node), key, at));
  return value ? *value : absl::UnavailableError("the node went down");
}

std::string ShardCluster::Contents(int node) {
  std::ostringstream text;
  absl::StatusOr<storage::View> view = program(node)->host()->store()->NewView(kShardGroup);
  CHECK(view.ok()) << view.status();
  const auto state = view->ScanState({}, 100'000);
  CHECK(state.ok()) << state.status();
  for (const storage::StateEntry& entry : *state) {
    text << absl::CEscape(entry.key) << " = " << absl::CEscape(entry.value) << "\n";
  }
  const auto rows = view->Scan({.range = {}, .at = Timestamp::Max(), .rows_max = 100'000});
  CHECK(rows.ok()) << rows.status();
  for (const storage::Row& row : rows->rows) {
    text << row.key << " at " << row.timestamp << ": " << row.value << "\n";
  }
  return text.str();
}

bool ShardCluster::AwaitApplied(const std::vector<int>& nodes) {
  return RunUntil([&] {
    storage::Slot chosen;
    for (const int node : nodes) {
      if (group(node) == nullptr || !group(node)->installed()) return false;
      chosen = std::max(chosen, group(node)->status().chosen_through);
    }
    return std::ranges::all_of(nodes, [&](int node) { return group(node)->applied() == chosen; });
  });
}

}  // namespace txn
