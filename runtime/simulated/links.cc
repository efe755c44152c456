#include "runtime/simulated/links.h"

#include <algorithm>

#include "runtime/check.h"

namespace simulated {

Links::Link& Links::Find(NodeId from, NodeId to) {
  const auto [found, is_new] = links_.try_emplace({from, to});
  if (is_new) found->second.faults = standard_;
  return found->second;
}

void Links::Partition(const std::vector<std::vector<NodeId>>& groups) {
  group_of_.clear();
  for (size_t i = 0; i < groups.size(); ++i) {
    for (NodeId node : groups[i]) {
      CHECK(group_of_.emplace(node, i).second) << "node " << node << " is in two groups";
    }
  }
}

void Links::Clog(NodeId from, NodeId to, MonotonicTime until) {
  Find(from, to).clogged_until = until;
}

void Links::Heal() {
  group_of_.clear();
  for (auto& [pair, link] : links_) {
    link.faults = standard_;
    link.clogged_until = MonotonicTime();
  }
}

bool Links::Reaches(NodeId from, NodeId to) {
  if (from == to) return true;
  if (link(from, to).cut) return false;
  const auto group = group_of_.find(from);
  const auto other = group_of_.find(to);
  return group == group_of_.end() || other == group_of_.end() || group->second == other->second;
}

Duration Links::DrawDelay(NodeId from, NodeId to, MonotonicTime now) {
  const Link& link = Find(from, to);
  const Duration clogged = std::max(link.clogged_until - now, Duration::zero());
  return clogged + link.faults.delay_min + random_.Exponential(link.faults.delay_mean);
}

Duration Links::TransmissionTime(NodeId from, NodeId to, size_t bytes) {
  const int64_t rate = link(from, to).bytes_per_second;
  CHECK_GT(rate, 0);
  return Duration(static_cast<int64_t>(static_cast<__int128>(bytes) * 1'000'000'000 / rate));
}

void Links::BreakConnection(NodeId a, NodeId b) {
  ++Find(a, b).connection;
  ++Find(b, a).connection;
}

}  // namespace simulated
