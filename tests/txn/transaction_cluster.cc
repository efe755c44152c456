#include "tests/txn/transaction_cluster.h"

#include <vector>

#include "runtime/check.h"
#include "runtime/sleep.h"
#include "tests/txn/wide_source.h"

namespace txn {

using runtime::NodeId;
using runtime::Task;
using runtime::operator""ms;
using storage::GroupId;

namespace {

StaticShardMap ThreeShards() {
  const std::vector<NodeId> nodes = {NodeId(1), NodeId(2), NodeId(3)};
  return StaticShardMap(
      {{.group = GroupId(1), .range = {"", "h"}, .generation = 1, .nodes = nodes},
       {.group = GroupId(2), .range = {"h", "p"}, .generation = 1, .nodes = nodes},
       {.group = GroupId(3), .range = {"p", ""}, .generation = 1, .nodes = nodes}});
}

}  // namespace

// --- TransactionNode ---

TransactionNode::TransactionNode(simulated::Universe* universe, simulated::NodeWorld* world,
                                 const TransactionClusterOptions* options,
                                 const StaticShardMap* map)
    : world_(*world),
      options_(*options),
      map_(*map),
      truetime_(world, std::make_unique<WideSource>(universe, world, options->epsilon), {}),
      shards_(world, &truetime_, &map_, options->shards),
      gateway_(world, &truetime_, &map_, &shards_, options->gateway),
      scope_(world->loop(0)) {
  world_.network().SetClockStamper(&truetime_);
  truetime_.Start();
  scope_.Spawn(Main());
}

TransactionNode::~TransactionNode() { world_.network().SetClockStamper(nullptr); }

ShardDescriptor TransactionNode::Founding(GroupId group) const {
  const std::optional<ShardLocation> location = map_.FindGroup(group);
  if (!location) return {};
  return {.range = location->range, .generation = location->generation};
}

Task<void> TransactionNode::Main() {
  while (host_ == nullptr) {
    absl::StatusOr<std::unique_ptr<paxos::Host>> host = co_await paxos::Host::Open(
        &world_, &truetime_, shards_.Factory([this](GroupId group) { return Founding(group); }),
        options_.host);
    if (host.ok()) {
      host_ = *std::move(host);
      shards_.SetHost(host_.get());
    } else if (!(co_await runtime::SleepFor(100ms)).ok()) {
      co_return;
    }
  }
}

// --- TransactionCluster ---

TransactionCluster::TransactionCluster(uint64_t seed, TransactionClusterOptions options)
    : options_(std::move(options)), map_(ThreeShards()), universe_(seed, options_.universe) {
  for (uint32_t node = 1; node <= kNodes; ++node) {
    simulated::NodeOptions node_options;
    node_options.program = [this](runtime::World& world) {
      return std::make_unique<TransactionNode>(
          &universe_, static_cast<simulated::NodeWorld*>(&world), &options_, &map_);
    };
    universe_.AddNode(NodeId(node), node_options);
  }
  CHECK(RunUntil([&] {
    for (int node = 1; node <= kNodes; ++node) {
      if (!IsOpen(node)) return false;
    }
    return true;
  })) << universe_.violation();
  const auto configuration = paxos::Configuration::Initial({NodeId(1), NodeId(2), NodeId(3)});
  for (uint64_t group = 1; group <= kGroups; ++group) {
    for (const int node : {1, 2, 3}) {
      const auto created =
          Await(node, program(node)->host()->CreateGroup(GroupId(group), configuration));
      CHECK(created && created->ok()) << created->status();
    }
  }
  for (int group = 1; group <= kGroups; ++group) AwaitLeader(group);
}

bool TransactionCluster::Leads(int node, int group) {
  if (!world(node).running() || !IsOpen(node)) return false;
  const auto here = program(node)->host()->FindGroup(GroupId(static_cast<uint64_t>(group)));
  return here != nullptr && here->leading();
}

int TransactionCluster::AwaitLeader(int group) {
  int leader = 0;
  const bool found = RunUntil([&] {
    for (int node = 1; node <= 3; ++node) {
      if (Leads(node, group)) leader = node;
    }
    return leader != 0;
  });
  CHECK(found) << "nobody leads; " << universe_.violation();
  return leader;
}

int TransactionCluster::FollowerOf(int group, int other) {
  const int leader = AwaitLeader(group);
  for (int node = 1; node <= 3; ++node) {
    if (node != leader && node != other) return node;
  }
  return 0;
}

}  // namespace txn
