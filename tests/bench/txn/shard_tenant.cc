#include "tests/bench/txn/shard_tenant.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/status_macros.h"

namespace bench {
namespace {

using runtime::NodeId;
using runtime::Task;
using storage::GroupId;

txn::KeyRange RangeOf(int shard) {
  return {absl::StrFormat("%02d", shard), absl::StrFormat("%02d", shard + 1)};
}

std::vector<txn::ShardLocation> Locations(int shards) {
  std::vector<txn::ShardLocation> locations;
  for (int shard = 1; shard <= shards; ++shard) {
    txn::ShardLocation& one = locations.emplace_back();
    one.group = GroupId(static_cast<uint64_t>(shard));
    one.range = RangeOf(shard);
    one.generation = 1;
    for (uint32_t node = 1; node <= Cluster::kNodes; ++node) one.nodes.emplace_back(node);
  }
  return locations;
}

uint32_t LeaderOf(int shard) { return static_cast<uint32_t>((shard - 1) % Cluster::kNodes + 1); }

Task<void> Prefer(Node* node, int shards) {
  for (int shard = 1; shard <= shards; ++shard) {
    // The members of a founding configuration are numbered like its nodes.
    FindGroup(node, GroupId(static_cast<uint64_t>(shard)))
        ->SetPreferredLeader(paxos::ReplicaId(LeaderOf(shard)));
  }
  co_return;
}

}  // namespace

ShardTenant::ShardTenant(runtime::World* world, truetime::TrueTime* truetime, int shards)
    : map_(Locations(shards)),
      server_(world, truetime, &map_, {}),
      gateway_(world, truetime, &map_, &server_, {}) {}

paxos::StateMachineFactory ShardTenant::Factory() {
  return server_.Factory([](GroupId group) {
    return txn::ShardDescriptor{.range = RangeOf(static_cast<int>(group.value())), .generation = 1};
  });
}

Task<void> ShardTenant::BeforeHostCloses() {
  co_await gateway_.Close();
  server_.SetHost(nullptr);
}

txn::Key KeyIn(int shard, uint64_t number) {
  return absl::StrCat(RangeOf(shard).start, "/", absl::Dec(number, absl::kZeroPad8));
}

absl::StatusOr<std::unique_ptr<Cluster>> StartShards(const std::string& directory, int shards) {
  ASSIGN_OR_RETURN(
      std::unique_ptr<Cluster> cluster,
      Cluster::Start(directory, [shards](runtime::World* world, truetime::TrueTime* truetime) {
        return std::make_unique<ShardTenant>(world, truetime, shards);
      }));
  RETURN_IF_ERROR(cluster->CreateGroups(1, static_cast<uint64_t>(shards)));
  for (int node = 0; node < Cluster::kNodes; ++node) {
    cluster->node(node).world().RunUntilDone(Prefer(&cluster->node(node), shards));
  }
  for (int shard = 1; shard <= shards; ++shard) {
    const GroupId group(static_cast<uint64_t>(shard));
    for (int tries = 0;; ++tries) {
      ASSIGN_OR_RETURN(const Node* const leader, cluster->FindLeader(group));
      if (leader->id() == NodeId(LeaderOf(shard))) break;
      if (tries == 1000) return absl::UnavailableError("a shard is not led by whom it should be");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  return cluster;
}

void SetEpsilon(Cluster* cluster, runtime::Duration epsilon) {
  for (int index = 0; index < Cluster::kNodes; ++index) {
    Node& node = cluster->node(index);
    node.SetEpsilon(epsilon);
    while (!node.HasEpsilon(epsilon)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
}

}  // namespace bench
