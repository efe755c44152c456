// PaxosNode: a node with replicas of groups of registers, and the service that clients ask. Who loses
// its log has its replicas replaced.
#ifndef SIMULATION_PAXOS_NODE_H_
#define SIMULATION_PAXOS_NODE_H_

#include <map>
#include <utility>

#include "runtime/simulated/universe.h"
#include "simulation/host_node.h"
#include "simulation/paxos_truth.h"
#include "simulation/register_service.h"
#include "simulation/tapped_world.h"

namespace simulation {

struct PaxosNodeOptions {
  HostNodeOptions of_host;
  // From one look at all that its replicas hold to the next; exponentially distributed.
  runtime::Duration scrub_every{std::chrono::seconds(3)};
};

class PaxosNode final : public HostNode {
 public:
  // All outlive it.
  PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world, PaxosTruth* truth,
            PaxosNodeOptions options);
  ~PaxosNode() override { DropHost(); }

  // Holds what its replicas have against the truth, and gives it to `contents` unless that is null.
  // Skips those that have nothing now.
  using Contents = std::map<std::pair<storage::GroupId, runtime::NodeId>, GroupContents>;
  runtime::Task<void> Scrub(Contents* contents);

 private:
  paxos::StateMachineFactory Factory() override;
  // The replicas that are to be here must be, and know what they said.
  void Opened() override;
  void LostLog(const absl::Status& why) override;
  runtime::Task<void> ScrubNowAndThen();
  runtime::Task<void> ScrubGroup(storage::GroupId group, Contents* contents);

  PaxosTruth& truth_;
  const PaxosNodeOptions options_;
  TappedWorld tapped_;
  RegisterService service_;
};

// The program of `node`; null while it is down, or if it is no such node.
PaxosNode* FindPaxosNode(const simulated::NodeWorld& node);

}  // namespace simulation

#endif  // SIMULATION_PAXOS_NODE_H_
