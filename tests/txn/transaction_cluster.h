// TransactionCluster: all of the transaction layer on simulated nodes: clocks, hosts, shards and
// gateways. Three groups, with the keys below "h", below "p", and all others, on nodes 1 to 3; node 4
// is a gateway only.
#ifndef TESTS_TXN_TRANSACTION_CLUSTER_H_
#define TESTS_TXN_TRANSACTION_CLUSTER_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "paxos/host.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"
#include "truetime/truetime.h"
#include "txn/gateway.h"
#include "txn/shard_map.h"
#include "txn/shard_server.h"

namespace txn {

struct TransactionClusterOptions {
  simulated::UniverseOptions universe = {};
  runtime::Duration epsilon = std::chrono::milliseconds(1);
  paxos::HostOptions host = {};
  ShardServerOptions shards = {};
  GatewayOptions gateway = {};
};

class TransactionNode final : public simulated::NodeProgram {
 public:
  TransactionNode(simulated::Universe* universe, simulated::NodeWorld* world,
                  const TransactionClusterOptions* options, const StaticShardMap* map);
  ~TransactionNode() override;

  // Null while it is not open.
  paxos::Host* host() { return host_.get(); }
  Gateway* gateway() { return &gateway_; }
  ShardServer& shards() { return shards_; }
  truetime::TrueTime& truetime() { return truetime_; }
  runtime::TaskScope& scope() { return scope_; }

 private:
  runtime::Task<void> Main();
  ShardDescriptor Founding(storage::GroupId group) const;

  simulated::NodeWorld& world_;
  const TransactionClusterOptions& options_;
  StaticShardMap map_;
  truetime::TrueTime truetime_;
  ShardServer shards_;
  std::unique_ptr<paxos::Host> host_;
  Gateway gateway_;
  runtime::TaskScope scope_;
};

class TransactionCluster {
 public:
  static constexpr int kNodes = 4;
  static constexpr int kGroups = 3;

  // Somebody leads every group.
  explicit TransactionCluster(uint64_t seed, TransactionClusterOptions options = {});

  simulated::Universe& universe() { return universe_; }
  simulated::NodeWorld& world(int node) {
    return universe_.node(runtime::NodeId(static_cast<uint32_t>(node)));
  }
  // Null: the node is down.
  TransactionNode* program(int node) {
    return static_cast<TransactionNode*>(world(node).program());
  }
  bool IsOpen(int node) { return program(node) != nullptr && program(node)->host() != nullptr; }
  Gateway* gateway(int node) { return program(node)->gateway(); }
  bool RunUntil(const std::function<bool()>& condition) {
    return universe_.RunUntil(condition, std::chrono::seconds(120));
  }
  void RunFor(runtime::Duration length) { universe_.RunFor(length); }

  // Who leads a group, once somebody does.
  int AwaitLeader(int group);
  // Neither leads the group nor is `other`, but has a replica.
  int FollowerOf(int group, int other = 0);
  // Runs a task on a node to its end; none if the node went down.
  template <typename T>
  std::optional<T> Await(int node, runtime::Task<T> task);
  // Runs it, and does not wait.
  void Begin(int node, runtime::Task<void> task) { program(node)->scope().Spawn(std::move(task)); }

 private:
  bool Leads(int node, int group);

  const TransactionClusterOptions options_;
  const StaticShardMap map_;
  simulated::Universe universe_;
};

template <typename T>
runtime::Task<void> KeepResult(runtime::Task<T> task, std::shared_ptr<std::optional<T>> result) {
  result->emplace(co_await std::move(task));
}

template <typename T>
std::optional<T> TransactionCluster::Await(int node, runtime::Task<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  Begin(node, KeepResult(std::move(task), result));
  const uint64_t incarnation = world(node).incarnation();
  RunUntil([&] {
    return result->has_value() || !world(node).running() ||
           world(node).incarnation() != incarnation;
  });
  return *result;
}

}  // namespace txn

#endif  // TESTS_TXN_TRANSACTION_CLUSTER_H_
