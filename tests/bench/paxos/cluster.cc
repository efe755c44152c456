#include "tests/bench/paxos/cluster.h"

#include <chrono>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "runtime/when.h"
#include "tests/bench/report.h"

namespace bench {
namespace {

using runtime::NodeId;
using runtime::Task;
using storage::GroupId;

constexpr double kLeaderSeconds = 10;
// Groups that are made at the same time, so that their writes share an fsync.
constexpr uint64_t kTogether = 200;

paxos::Configuration AllNodes() {
  std::vector<NodeId> nodes;
  for (uint32_t id = 1; id <= Cluster::kNodes; ++id) nodes.emplace_back(id);
  return paxos::Configuration::Initial(nodes);
}

Task<absl::Status> CreateOne(Node* node, GroupId group) {
  co_return (co_await node->host()->CreateGroup(group, AllNodes())).status();
}

Task<absl::Status> CreateOnNode(Node* node, uint64_t first, uint64_t last) {
  for (uint64_t begin = first; begin <= last; begin += kTogether) {
    std::vector<Task<absl::Status>> tasks;
    for (uint64_t id = begin; id <= last && id < begin + kTogether; ++id) {
      tasks.push_back(CreateOne(node, GroupId(id)));
    }
    for (absl::Status& created : co_await runtime::WhenAll(std::move(tasks))) {
      if (!created.ok()) co_return created;
    }
  }
  co_return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cluster>> Cluster::Start(const std::string& parent,
                                                        TenantFactory make_tenant) {
  ASSIGN_OR_RETURN(Folder folder, Folder::Make(parent));
  std::unique_ptr<Cluster> cluster(new Cluster(std::move(folder)));
  std::map<NodeId, int> ports;
  for (uint32_t id = 1; id <= kNodes; ++id) {
    ASSIGN_OR_RETURN(
        std::unique_ptr<Node> node,
        Node::Make(NodeId(id), 0, cluster->folder_.Sub(absl::StrCat("node", id)), make_tenant));
    ports[NodeId(id)] = node->world().port();
    cluster->nodes_.push_back(std::move(node));
  }
  for (const std::unique_ptr<Node>& node : cluster->nodes_) {
    node->Connect(ports);
    RETURN_IF_ERROR(node->Open());
  }
  return cluster;
}

// All hosts are closed while the worlds of all can still be talked to.
Cluster::~Cluster() {
  for (const std::unique_ptr<Node>& node : nodes_) node->Close();
}

absl::Status Cluster::CreateGroups(uint64_t first, uint64_t last) {
  for (const std::unique_ptr<Node>& node : nodes_) {
    RETURN_IF_ERROR(node->world().RunUntilDone(CreateOnNode(node.get(), first, last)));
  }
  for (uint64_t id = first; id <= last; ++id) RETURN_IF_ERROR(FindLeader(GroupId(id)).status());
  return absl::OkStatus();
}

absl::StatusOr<Node*> Cluster::FindLeader(GroupId group) {
  const double give_up = Now() + kLeaderSeconds;
  while (Now() < give_up) {
    for (const std::unique_ptr<Node>& node : nodes_) {
      if (node->world().RunUntilDone(Leads(node.get(), group))) return node.get();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return absl::UnavailableError(absl::StrCat("nobody leads group ", group.value()));
}

absl::StatusOr<Node*> Cluster::FindFollower(GroupId group) {
  ASSIGN_OR_RETURN(const Node* const leader, FindLeader(group));
  return nodes_[nodes_[0].get() == leader ? 1 : 0].get();
}

std::shared_ptr<paxos::Group> FindGroup(Node* node, GroupId group) {
  std::shared_ptr<paxos::Group> found = node->host()->FindGroup(group);
  CHECK(found != nullptr) << "no group " << group.value() << " on node " << node->id().value();
  return found;
}

Task<bool> Leads(Node* node, GroupId group) {
  if (node->host() == nullptr) co_return false;
  co_return FindGroup(node, group)->leading().has_value();
}

Task<paxos::GroupStatus> StatusOf(Node* node, GroupId group) {
  co_return FindGroup(node, group)->status();
}

}  // namespace bench
