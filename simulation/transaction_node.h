// TransactionNode: a node with shards and a gateway, and with clients that work at that gateway. When
// the node crashes its clients are gone, and nobody knows what came of what they did.
#ifndef SIMULATION_TRANSACTION_NODE_H_
#define SIMULATION_TRANSACTION_NODE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/simulated/universe.h"
#include "simulation/host_node.h"
#include "simulation/transaction_client.h"
#include "simulation/transaction_truth.h"
#include "txn/gateway.h"
#include "txn/shard_machine.h"
#include "txn/shard_server.h"

namespace simulation {

struct TransactionNodeOptions {
  HostNodeOptions of_host;
  txn::ShardServerOptions shards;
  txn::GatewayOptions gateway;
  int clients = 3;
  TransactionClientOptions client;
};

class TransactionNode final : public HostNode {
 public:
  // All outlive it.
  TransactionNode(simulated::Universe* universe, simulated::NodeWorld* world,
                  TransactionTruth* truth, TransactionNodeOptions options);
  ~TransactionNode() override { DropHost(); }

  txn::Gateway& gateway() { return gateway_; }
  // A client of its own, for whoever drives the cluster; on the node's loop.
  workload::WorkloadClient NewClient();
  // How many of its clients are in the midst of something.
  size_t busy() const;
  // Null while there is none here.
  const txn::ShardMachine* FindMachine(storage::GroupId group) const;
  // What keeps the shards here from being at rest; empty if nothing does.
  std::string Unrest();

 private:
  paxos::StateMachineFactory Factory() override;
  void Opened() override { shards_.SetHost(host()); }
  void Closing() override { shards_.SetHost(nullptr); }
  void LostLog(const absl::Status& why) override;

  TransactionTruth& truth_;
  txn::StaticShardMap map_;
  txn::ShardServer shards_;
  txn::Gateway gateway_;
  std::vector<std::unique_ptr<TransactionClient>> clients_;
};

// The program of `node`; null while it is down, or if it is no such node.
TransactionNode* FindTransactionNode(const simulated::NodeWorld& node);

}  // namespace simulation

#endif  // SIMULATION_TRANSACTION_NODE_H_
