// PaxosWatchers: the invariants of Paxos, asked of all replicas after every event by one who knows
// the true time.
//
// Rules:       PX-ONE-VALUE, PX-MONOTONE and PX-CEILING, by telling GroupTruth what each replica
//              comes to know. PX-DISJOINT: in true time no two replicas of a group lead by their
//              own count. PX-WITHIN-LEASE: no leader assigns a timestamp past its lease.
//              PX-ABDICATE: when a replica begins to lead, every timestamp of those that handed
//              over before has passed. PX-DURABLE: what a replica has promised never goes back.
// Cost:        a few comparisons for each replica and event; more only where something changed.
#ifndef SIMULATION_PAXOS_WATCHERS_H_
#define SIMULATION_PAXOS_WATCHERS_H_

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "paxos/group.h"
#include "runtime/simulated/universe.h"
#include "simulation/paxos_node.h"
#include "simulation/paxos_truth.h"

namespace simulation {

class PaxosWatchers {
 public:
  // Adds itself to the watchers of `universe`. Both outlive its events. Where clocks lie, nothing is
  // demanded that rests on true time.
  PaxosWatchers(simulated::Universe* universe, PaxosTruth* truth, bool clocks_lie);
  PaxosWatchers(const PaxosWatchers&) = delete;
  PaxosWatchers& operator=(const PaxosWatchers&) = delete;

  // Elections won since the beginning.
  uint64_t leaderships() const { return leaderships_; }

 private:
  // A replica as it was seen last.
  struct Seen {
    uint64_t incarnation = 0;
    uint64_t host = 0;
    paxos::ReplicaId self = {};
    paxos::Ballot promised = {};
    storage::Slot chosen_through = {};
    storage::Slot last = {};  // Of its window.
    runtime::Timestamp safe_time = runtime::Timestamp::Min();
    std::optional<paxos::Ballot> leading = {};
    bool abdicating = false;
  };
  // The last timestamp of a leadership, and how it ended.
  struct Led {
    paxos::Ballot ballot;
    runtime::Timestamp last_timestamp = runtime::Timestamp::Min();
    bool abdicated = false;
  };

  void Watch();
  void WatchReplica(PaxosNode* node, simulated::NodeWorld* world, const paxos::Group& group);
  void WatchChosen(const paxos::Replica& replica, storage::GroupId group, Seen* seen);
  void WatchLead(const paxos::Replica& replica, storage::GroupId group, Seen* seen);
  void CheckBegin(storage::GroupId group, paxos::Ballot ballot);
  void CheckDisjoint(storage::GroupId group);

  simulated::Universe& universe_;
  PaxosTruth& truth_;
  const bool clocks_lie_;
  std::map<std::pair<storage::GroupId, runtime::NodeId>, Seen> seen_;
  std::map<storage::GroupId, std::map<paxos::ReplicaId, Led>> led_;
  // Those who hold a leading ballot now, by group: gathered anew after each event.
  std::map<storage::GroupId, std::vector<std::pair<PaxosNode*, const paxos::Replica*>>> leaders_;
  uint64_t leaderships_ = 0;
};

}  // namespace simulation

#endif  // SIMULATION_PAXOS_WATCHERS_H_
