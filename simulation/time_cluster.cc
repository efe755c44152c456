#include "simulation/time_cluster.h"

#include <memory>
#include <vector>

namespace simulation {

void AddTimeNodes(simulated::Universe* universe, TimeWatchers* watchers, int count) {
  std::vector<runtime::NodeId> peers;
  for (int i = 1; i <= count; ++i) peers.emplace_back(static_cast<uint32_t>(i));
  for (const runtime::NodeId peer : peers) {
    simulated::NodeOptions options;
    options.program = [watchers, peers](runtime::World& world) {
      return std::make_unique<TimeNode>(static_cast<simulated::NodeWorld*>(&world), watchers,
                                        TimeNodeOptions{.peers = peers, .truetime = {}});
    };
    universe->AddNode(peer, options);
  }
}

TimeNode* FindTimeNode(const simulated::NodeWorld& node) {
  return static_cast<TimeNode*>(node.program());
}

truetime::TrueTime* FindTrueTime(const simulated::NodeWorld& node) {
  TimeNode* const program = FindTimeNode(node);
  return program == nullptr ? nullptr : &program->truetime();
}

bool AllSynchronised(const simulated::Universe& universe) {
  for (const auto& [id, node] : universe.nodes()) {
    const truetime::TrueTime* const truetime = FindTrueTime(*node);
    if (truetime == nullptr || truetime->state() != truetime::ClockState::kSynchronised) {
      return false;
    }
  }
  return true;
}

}  // namespace simulation
