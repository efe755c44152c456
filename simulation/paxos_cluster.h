// PaxosCluster: the nodes, groups and clients of a scenario of Paxos, its phases, and what is
// demanded in each: chaos, in which nothing wrong is ever seen; life, after all has healed; rest, in
// which all replicas become equal; and judgement of what the clients saw.
#ifndef SIMULATION_PAXOS_CLUSTER_H_
#define SIMULATION_PAXOS_CLUSTER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "paxos/host_options.h"
#include "runtime/simulated/universe.h"
#include "simulation/nemesis.h"
#include "simulation/paxos_node.h"
#include "simulation/paxos_truth.h"
#include "simulation/paxos_watchers.h"
#include "simulation/register_client.h"

namespace simulation {

struct PaxosClusterOptions {
  int nodes = 3;
  int groups = 1;
  // Of each group in the beginning, on the first nodes from a drawn one on.
  int voters = 3;
  int client_nodes = 2;
  int clients_per_node = 3;
  // Whether somebody looks after the members; and changes them for the sake of it.
  bool changes_members = false;
  bool stirs = true;
  bool clocks_lie = false;
};

class PaxosCluster {
 public:
  // Draws all that is not in `options`. `universe` outlives it, and runs no event after it.
  PaxosCluster(simulated::Universe* universe, PaxosClusterOptions options);
  PaxosCluster(const PaxosCluster&) = delete;
  PaxosCluster& operator=(const PaxosCluster&) = delete;

  PaxosTruth& truth() { return truth_; }
  runtime::Duration lease() const { return node_options_.of_host.host.replica.lease; }

  // Lets `harms` reign for `length`, and heals.
  void Chaos(std::vector<Harm> harms, runtime::Duration length);
  // Until every node has its clock, its log and its store, and every group the members that it is
  // to have.
  void Settle();
  // Within three leases a write and a read of every group succeed from every node.
  void DemandLife();
  // The disk of a node that leads stands still, and all replicas are equal: within three leases a
  // write and a read of every group succeed from another node (PX-STALL).
  void DemandLifeBesideAStalledDisk();
  // The clients stop, and all replicas of each group become equal, byte by byte.
  void DemandEquality();
  // What the clients saw can have been.
  void JudgeHistory();

 private:
  void DrawOptions();
  void AddGroups();
  void AddNodes();
  void AddClients();
  bool AllHealthy() const;
  // Begins to write and read every group from `node`, and counts in `proved` what has succeeded; how
  // many there are.
  int BeginProofs(PaxosNode* node, runtime::NodeId id, int* proved);
  // Fails for want of life, and says how every node and replica stands.
  void FailForLife(absl::string_view what);
  bool AllSettled() const;
  bool AllApplied() const;
  // Reads all replicas, and holds them against the truth; whether each had all of its group.
  bool AllReadable();
  RegisterClientOptions ClientOptions(uint64_t id) const;
  // The programs that run now.
  std::vector<PaxosNode*> Programs() const;

  simulated::Universe& universe_;
  const PaxosClusterOptions options_;
  PaxosTruth truth_;
  PaxosWatchers watchers_;
  PaxosNodeOptions node_options_;
  std::vector<runtime::NodeId> nodes_;
  std::optional<Nemesis> nemesis_;  // What undoes its harms sleeps on after its reign.
  int64_t value_bytes_max_ = 100;
  bool calm_;  // The operator stirs no more.
};

}  // namespace simulation

#endif  // SIMULATION_PAXOS_CLUSTER_H_
