#include "workload/checker/graph.h"

#include <algorithm>

#include "runtime/check.h"

namespace checker {

void DependencyGraph::Finish() {
  CHECK(node_count_ < kNoTxn) << "more nodes than a NodeId can count";
  first_edge_.assign(node_count_ + 1, 0);
  for (const Added& added : added_) ++first_edge_[added.from + 1];
  for (size_t node = 0; node < node_count_; ++node) first_edge_[node + 1] += first_edge_[node];
  edges_.resize(added_.size());
  std::vector<uint64_t> next(first_edge_.begin(), first_edge_.end() - 1);
  for (const Added& added : added_) edges_[next[added.from]++] = added.edge;
  added_ = std::vector<Added>();
}

namespace {

// Tarjan's algorithm with a stack of its own: a history's paths are longer than a thread's stack.
class Tarjan {
 public:
  Tarjan(const DependencyGraph& graph, EdgeFilter filter)
      : graph_(graph), filter_(filter), number_(graph.node_count(), 0), low_(graph.node_count()) {}

  std::vector<std::vector<NodeId>> Run() {
    for (NodeId node = 0; node < graph_.node_count(); ++node) {
      if (number_[node] == 0) Walk(node);
    }
    std::sort(components_.begin(), components_.end());
    return std::move(components_);
  }

 private:
  struct Frame {
    NodeId node;
    size_t next_edge;
  };
  // The number of a node whose component is complete.
  static constexpr uint32_t kDone = kNoTxn;

  void Enter(NodeId node) {
    number_[node] = low_[node] = ++last_number_;
    open_.push_back(node);
    frames_.push_back({node, 0});
  }

  void Walk(NodeId root) {
    Enter(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      const absl::Span<const Edge> edges = graph_.edges(frame.node);
      if (frame.next_edge == edges.size()) {
        Leave();
        continue;
      }
      const Edge& edge = edges[frame.next_edge++];
      if (!filter_.Allows(edge) || number_[edge.to] == kDone) continue;
      if (number_[edge.to] == 0) {
        Enter(edge.to);
      } else {
        low_[frame.node] = std::min(low_[frame.node], number_[edge.to]);
      }
    }
  }

  void Leave() {
    const NodeId node = frames_.back().node;
    frames_.pop_back();
    if (!frames_.empty()) {
      const NodeId above = frames_.back().node;
      low_[above] = std::min(low_[above], low_[node]);
    }
    if (low_[node] == number_[node]) Close(node);
  }

  // All that were opened since `root`, and it, are one component.
  void Close(NodeId root) {
    const auto begin = std::find(open_.rbegin(), open_.rend(), root).base() - 1;
    const auto transactions =
        std::count_if(begin, open_.end(), [&](NodeId node) { return graph_.IsTransaction(node); });
    for (auto node = begin; node != open_.end(); ++node) number_[*node] = kDone;
    if (transactions >= 2) {
      std::sort(begin, open_.end());
      components_.emplace_back(begin, open_.end());
    }
    open_.erase(begin, open_.end());
  }

  const DependencyGraph& graph_;
  const EdgeFilter filter_;
  std::vector<uint32_t> number_;  // In the order of first visits, from 1; 0 is unseen.
  std::vector<uint32_t> low_;     // The smallest number that is known to be reachable.
  uint32_t last_number_ = 0;
  std::vector<NodeId> open_;
  std::vector<Frame> frames_;
  std::vector<std::vector<NodeId>> components_;
};

}  // namespace

std::vector<std::vector<NodeId>> CyclicComponents(const DependencyGraph& graph, EdgeFilter filter) {
  return Tarjan(graph, filter).Run();
}

}  // namespace checker
