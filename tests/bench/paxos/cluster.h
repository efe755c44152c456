// Cluster: three nodes in this process, and what is done to their groups from outside.
#ifndef TESTS_BENCH_PAXOS_CLUSTER_H_
#define TESTS_BENCH_PAXOS_CLUSTER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "paxos/group.h"
#include "storage/ids.h"
#include "tests/bench/paxos/folder.h"
#include "tests/bench/paxos/node.h"

namespace bench {

class Cluster {
 public:
  static constexpr int kNodes = 3;

  // Their files are in a folder of its own, in `parent`.
  static absl::StatusOr<std::unique_ptr<Cluster>> Start(const std::string& parent,
                                                        TenantFactory make_tenant = nullptr);
  ~Cluster();

  // The groups `first` to `last`, with a voter on each node; waits until each has a leader that
  // serves.
  absl::Status CreateGroups(uint64_t first, uint64_t last);
  // The node whose replica leads and serves. UNAVAILABLE if there is none for ten seconds.
  absl::StatusOr<Node*> FindLeader(storage::GroupId group);
  // A node whose replica does not lead.
  absl::StatusOr<Node*> FindFollower(storage::GroupId group);

  Node& node(int index) { return *nodes_[static_cast<size_t>(index)]; }
  Node& node(runtime::NodeId id) { return node(static_cast<int>(id.value()) - 1); }
  const Folder& folder() const { return folder_; }

 private:
  explicit Cluster(Folder folder) : folder_(std::move(folder)) {}

  Folder folder_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

// On the loop of `node`:
// The replica of `group`, which there is.
std::shared_ptr<paxos::Group> FindGroup(Node* node, storage::GroupId group);
runtime::Task<bool> Leads(Node* node, storage::GroupId group);
runtime::Task<paxos::GroupStatus> StatusOf(Node* node, storage::GroupId group);

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_CLUSTER_H_
