// LaterTargets: edges from a waypoint to many nodes of a row at once.
//
// The row is fixed; a target may be missing. All from a place on to the end are reached over a chain
// of waypoints, made once; few in the middle by an edge each, many over a tree of waypoints.
#ifndef WORKLOAD_CHECKER_LATER_TARGETS_H_
#define WORKLOAD_CHECKER_LATER_TARGETS_H_

#include <vector>

#include "workload/checker/graph.h"

namespace checker {

class LaterTargets {
 public:
  // kNoTxn where there is no target.
  LaterTargets(std::vector<NodeId> row, DependencyGraph* graph)
      : row_(std::move(row)), graph_(graph) {}

  // From `waypoint` to those at [begin, end).
  void Connect(NodeId waypoint, size_t begin, size_t end);

 private:
  void MakeChain();
  void MakeTree();
  void ConnectOne(NodeId waypoint, NodeId target) {
    if (target != kNoTxn) graph_->AddOnward(waypoint, target);
  }

  const std::vector<NodeId> row_;
  DependencyGraph* const graph_;
  std::vector<NodeId> chain_;  // Waypoint i leads to the target i and to waypoint i + 1.
  std::vector<NodeId> tree_;   // Node i leads to 2i and 2i + 1; the row begins at its size.
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_LATER_TARGETS_H_
