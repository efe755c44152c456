#include "workload/checker/later_targets.h"

namespace checker {
namespace {

constexpr size_t kSingleEdgesMax = 32;

}  // namespace

void LaterTargets::Connect(NodeId waypoint, size_t begin, size_t end) {
  if (begin >= end) return;
  if (end - begin <= kSingleEdgesMax) {
    for (size_t i = begin; i < end; ++i) ConnectOne(waypoint, row_[i]);
    return;
  }
  if (end == row_.size()) {
    if (chain_.empty()) MakeChain();
    graph_->AddOnward(waypoint, chain_[begin]);
    return;
  }
  if (tree_.empty()) MakeTree();
  // The usual walk upwards from both ends of a range in a tree whose leaves are the row.
  size_t left = begin + row_.size();
  size_t right = end + row_.size();
  for (; left < right; left /= 2, right /= 2) {
    if (left % 2 == 1) ConnectOne(waypoint, tree_[left++]);
    if (right % 2 == 1) ConnectOne(waypoint, tree_[--right]);
  }
}

void LaterTargets::MakeChain() {
  chain_.resize(row_.size());
  for (size_t i = row_.size(); i-- > 0;) {
    chain_[i] = graph_->AddWaypoint();
    ConnectOne(chain_[i], row_[i]);
    if (i + 1 < row_.size()) graph_->AddOnward(chain_[i], chain_[i + 1]);
  }
}

void LaterTargets::MakeTree() {
  tree_.assign(row_.size(), kNoTxn);
  tree_.insert(tree_.end(), row_.begin(), row_.end());
  for (size_t i = row_.size(); i-- > 1;) {
    tree_[i] = graph_->AddWaypoint();
    ConnectOne(tree_[i], tree_[2 * i]);
    ConnectOne(tree_[i], tree_[2 * i + 1]);
  }
}

}  // namespace checker
