// ShardTenant: the shards of a benchmark's node, and its gateway; and the cluster that they make.
#ifndef TESTS_BENCH_TXN_SHARD_TENANT_H_
#define TESTS_BENCH_TXN_SHARD_TENANT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/bench/paxos/cluster.h"
#include "tests/bench/paxos/tenant.h"
#include "txn/gateway.h"
#include "txn/shard_map.h"
#include "txn/shard_server.h"

namespace bench {

class ShardTenant final : public Tenant {
 public:
  // Shards 1 to `shards`, each with a replica on every node.
  ShardTenant(runtime::World* world, truetime::TrueTime* truetime, int shards);

  txn::Gateway& gateway() { return gateway_; }

  paxos::StateMachineFactory Factory() override;
  void HostOpened(paxos::Host* host) override { server_.SetHost(host); }
  runtime::Task<void> BeforeHostCloses() override;
  runtime::Task<void> AfterHostClosed() override { co_await server_.Close(); }

 private:
  txn::StaticShardMap map_;
  txn::ShardServer server_;
  txn::Gateway gateway_;
};

// The so-many-th key of a shard.
txn::Key KeyIn(int shard, uint64_t number);

// Three nodes with `shards` shards; shard s is led by node (s - 1) % 3 + 1.
absl::StatusOr<std::unique_ptr<Cluster>> StartShards(const std::string& directory, int shards);
inline txn::Gateway& GatewayOf(Node* node) {
  return static_cast<ShardTenant*>(node->tenant())->gateway();
}
// Widens the clocks of all nodes, and waits until that has taken effect.
void SetEpsilon(Cluster* cluster, runtime::Duration epsilon);

}  // namespace bench

#endif  // TESTS_BENCH_TXN_SHARD_TENANT_H_
