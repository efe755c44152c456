// TransactionCluster: the nodes, shards and clients of a scenario of transactions, its phases, and what
// is demanded in each: chaos, in which nothing wrong is ever seen; life, after all has healed; rest,
// in which nobody holds or waits for anything any more and all replicas are equal; and judgement of
// what the clients saw.
#ifndef SIMULATION_TRANSACTION_CLUSTER_H_
#define SIMULATION_TRANSACTION_CLUSTER_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "runtime/simulated/universe.h"
#include "simulation/nemesis.h"
#include "simulation/replica_contents.h"
#include "simulation/transaction_node.h"
#include "simulation/transaction_truth.h"

namespace simulation {

struct TransactionClusterOptions {
  absl::string_view workload;
  bool clocks_lie = false;
};

class TransactionCluster {
 public:
  // Draws all that is not in `options`. `universe` outlives it, and runs no event after it.
  TransactionCluster(simulated::Universe* universe, TransactionClusterOptions options);
  TransactionCluster(const TransactionCluster&) = delete;
  TransactionCluster& operator=(const TransactionCluster&) = delete;

  // What there has to be in the beginning is written, and the clients begin.
  void Open();
  // Lets `harms` reign for `length`, and heals.
  void Chaos(std::vector<Harm> harms, runtime::Duration length);
  // Until every node has its clock, its log and its store.
  void Settle();
  // Within a few leases a transaction over all shards commits from every node, and is read.
  void DemandLife();
  // The clients stop. Whose outcome nobody knew gets one; all locks become free, nothing stays
  // prepared and no outcome waited for; all can be read from every node; replicas become equal.
  void DemandRest();
  // What the clients saw can have been.
  void Judge();

 private:
  using AllContents = std::map<std::pair<storage::GroupId, runtime::NodeId>, ReplicaContents>;

  void DrawOptions();
  // The nodes are in one room, or far apart: then what takes several messages takes long, and much
  // can happen meanwhile.
  void DrawDistances();
  void DrawShardOptions();
  void AddGroups(int count);
  void AddNodes();
  bool AllHealthy() const;
  bool AllIdle() const;
  std::string Unrest() const;
  // Runs what `task` gives on every node until all have ended; whether they did within `limit`.
  bool OnEveryNode(const std::function<runtime::Task<void>(TransactionNode*)>& task,
                   runtime::Duration limit);
  runtime::Task<void> ProveAlive(TransactionNode* node);
  runtime::Task<void> Conclude(TransactionNode* node);
  runtime::Task<void> ReadAll(TransactionNode* node);
  void DemandEquality();
  // Whether all replicas could be read, and have applied the same.
  bool AllReadable(AllContents* contents);
  runtime::Task<void> ReadReplicas(TransactionNode* node, runtime::NodeId id,
                                   AllContents* contents);
  // Where clocks lie, what was lost in real time must have been noticed.
  void JudgeLiars();
  runtime::Task<void> LookForContradictions();
  void FailForLife(absl::string_view what);
  std::vector<TransactionNode*> Programs() const;
  runtime::Duration lease() const { return node_options_.of_host.host.replica.lease; }

  simulated::Universe& universe_;
  const TransactionClusterOptions options_;
  TransactionTruth truth_;
  TransactionNodeOptions node_options_;
  std::vector<runtime::NodeId> nodes_;
  std::optional<Nemesis> nemesis_;  // What undoes its harms sleeps on after its reign.
  runtime::Duration distance_{};    // What a message takes in the mean.
  bool contradiction_seen_ = false;
};

}  // namespace simulation

#endif  // SIMULATION_TRANSACTION_CLUSTER_H_
