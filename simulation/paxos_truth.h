// PaxosTruth: what the scenarios of Paxos know about a whole cluster, and no node does.
#ifndef SIMULATION_PAXOS_TRUTH_H_
#define SIMULATION_PAXOS_TRUTH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "paxos/kernel/configuration.h"
#include "simulation/group_truth.h"
#include "simulation/host_node.h"
#include "simulation/sent_messages.h"
#include "storage/ids.h"
#include "workload/register_history.h"

namespace simulation {

class PaxosTruth {
 public:
  // `universe` outlives it.
  explicit PaxosTruth(simulated::Universe* universe)
      : sent(universe,
             [this](storage::GroupId id, storage::Slot slot) { return group(id).IsChosen(slot); }),
        universe_(*universe) {}
  PaxosTruth(const PaxosTruth&) = delete;
  PaxosTruth& operator=(const PaxosTruth&) = delete;

  void AddGroup(storage::GroupId group, paxos::Configuration founding) {
    groups[group] = std::make_unique<GroupTruth>(&universe_, group, founding);
    beginning.groups.emplace(group, std::move(founding));
  }
  GroupTruth& group(storage::GroupId group) { return *groups.at(group); }

  // The log of `node` is gone. Its replicas must not vote again; one that was a learner still may
  // come back as the same one, since it never voted.
  void LostLog(runtime::NodeId node) {
    for (const auto& [id, replica] : sent.ReplicasOf(node)) {
      const paxos::Member* const member = group(id).configuration().Find(replica);
      sent.Lost(id, replica, member != nullptr && !member->voter);
    }
    for (const auto& [id, founding] : beginning.groups) beginning.created.insert({id, node});
    ++logs_lost;
  }

  std::map<storage::GroupId, std::unique_ptr<GroupTruth>> groups;
  Foundings beginning;
  SentMessages sent;
  workload::RegisterHistory history;
  // The machines whose disks may turn bits: what they lose is not held against the program.
  std::set<runtime::NodeId> bad_disks;
  uint64_t logs_lost = 0;
  uint64_t next_value = 1;
  // Clients start nothing new any more.
  bool quiet = false;

 private:
  simulated::Universe& universe_;
};

}  // namespace simulation

#endif  // SIMULATION_PAXOS_TRUTH_H_
