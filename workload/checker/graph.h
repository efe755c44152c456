// DependencyGraph: which transaction must come before which, and why.
//
// Nodes are the transactions of a history and, besides, waypoints. A waypoint stands for many edges
// at once: if each of m transactions precedes each of n others, m edges lead to a waypoint and n
// lead on from it. The edge into a waypoint says what it means, those that lead on say nothing. So
// the real-time order of n transactions is 3n edges, not n squared. A path may leave a transaction
// and come back to it over waypoints alone: that is nothing, and who walks the graph skips it.
//
// Edges are added first; Finish() packs them, and from then on they can be walked.
#ifndef WORKLOAD_CHECKER_GRAPH_H_
#define WORKLOAD_CHECKER_GRAPH_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "workload/checker/history.h"

namespace checker {

// A transaction, if it is below the number of those; else a waypoint.
using NodeId = uint32_t;

// Adya's direct dependencies, and order that the database promised.
enum class EdgeKind : uint8_t {
  kWriteWrite,  // ww: the second overwrote what the first wrote.
  kWriteRead,   // wr: the second read what the first wrote.
  kReadWrite,   // rw: the second overwrote what the first read.
  kOrder,       // The first ended before the second began.
  kOnward,      // From a waypoint.
};

// What an edge rests on: each level holds only if the database promises the order that it names.
enum class Level : uint8_t {
  kPlain,     // What was read and written alone.
  kProcess,   // The order of the transactions of one process, too.
  kRealTime,  // The order of all transactions in real time, too.
};

struct Edge {
  NodeId to;
  KeyId key;  // Of kOrder, 0.
  EdgeKind kind;
  Level level;
};

class DependencyGraph {
 public:
  explicit DependencyGraph(size_t transaction_count)
      : transaction_count_(transaction_count), node_count_(transaction_count) {}

  NodeId AddWaypoint() { return static_cast<NodeId>(node_count_++); }
  // An edge from a transaction to itself is left out.
  void Add(NodeId from, NodeId to, EdgeKind kind, Level level, KeyId key) {
    if (from != to) added_.push_back({from, {to, key, kind, level}});
  }
  void AddOnward(NodeId waypoint, NodeId to) {
    Add(waypoint, to, EdgeKind::kOnward, Level::kPlain, 0);
  }
  void Finish();

  bool IsTransaction(NodeId node) const { return node < transaction_count_; }
  size_t node_count() const { return node_count_; }
  size_t edge_count() const { return edges_.size(); }
  absl::Span<const Edge> edges(NodeId node) const {
    return absl::MakeConstSpan(edges_).subspan(first_edge_[node],
                                               first_edge_[node + 1] - first_edge_[node]);
  }

 private:
  struct Added {
    NodeId from;
    Edge edge;
  };

  const size_t transaction_count_;
  size_t node_count_;
  std::vector<Added> added_;  // Empty after Finish().
  // After Finish(): the edges of node n are edges_[first_edge_[n]] up to first_edge_[n + 1].
  std::vector<Edge> edges_;
  std::vector<uint64_t> first_edge_;
};

// Which edges of a graph count.
struct EdgeFilter {
  Level level_max = Level::kRealTime;
  bool reads_overwritten = true;  // rw edges, too.

  bool Allows(const Edge& edge) const {
    return edge.level <= level_max && (reads_overwritten || edge.kind != EdgeKind::kReadWrite);
  }
};

// The strongly connected components of at least two transactions, by Tarjan's algorithm, with the
// waypoints in them; each sorted, and sorted by their first transaction.
std::vector<std::vector<NodeId>> CyclicComponents(const DependencyGraph& graph, EdgeFilter filter);

// Adds what a database promises whose sessions are in order: between transactions of one process.
void AddProcessOrder(const History& history, DependencyGraph* graph);
// Adds what a database promises that is externally consistent. O(n) edges, by waypoints in a row.
void AddRealTimeOrder(const History& history, DependencyGraph* graph);

// Whether `first` ended before `second` began, and the order of `level` says so.
bool Precedes(const Transaction& first, const Transaction& second, Level level);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_GRAPH_H_
