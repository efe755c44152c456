// SentMessages: what the replicas have said to each other, which they must stand by for ever
// (PX-DURABLE): a promise, and what was accepted, is on the disk of whoever said so.
#ifndef SIMULATION_SENT_MESSAGES_H_
#define SIMULATION_SENT_MESSAGES_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "paxos/kernel/message.h"
#include "paxos/kernel/replica.h"
#include "runtime/strong_id.h"
#include "storage/ids.h"

namespace simulated {
class Universe;
}

namespace simulation {

class SentMessages {
 public:
  // Whether a value is known to be chosen in the slot, by anybody. Who accepts it once more need not
  // save it: no ballot can bring forth another one.
  using IsChosen = std::function<bool(storage::GroupId, storage::Slot)>;

  // `universe` outlives it.
  SentMessages(simulated::Universe* universe, IsChosen is_chosen)
      : universe_(*universe), is_chosen_(std::move(is_chosen)) {}
  SentMessages(const SentMessages&) = delete;
  SentMessages& operator=(const SentMessages&) = delete;

  // A batch of messages (paxos.proto) leaves `node`.
  void Sent(runtime::NodeId node, const std::string& batch);

  // A replica has come back from its disk: it must know what it has said.
  void CameBack(storage::GroupId group, const paxos::Replica& replica);
  // The replicas of `node` that have said anything and are not lost.
  std::set<std::pair<storage::GroupId, paxos::ReplicaId>> ReplicasOf(runtime::NodeId node) const;
  // What it had is gone, and it must be silent from now on; or, if it `may_return`, what it said
  // counts no more.
  void Lost(storage::GroupId group, paxos::ReplicaId replica, bool may_return);
  bool IsLost(storage::GroupId group, paxos::ReplicaId replica) const;

 private:
  struct Said {
    runtime::NodeId node;
    bool lost = false;
    paxos::Ballot promised;
    std::map<storage::Slot, paxos::Ballot> accepted;
  };

  void Note(runtime::NodeId node, storage::GroupId group, const paxos::Message& message);
  void Proposed(storage::GroupId group, const paxos::Accept& accept);
  void Fail(absl::string_view rule, storage::GroupId group, paxos::ReplicaId replica,
            absl::string_view what);

  simulated::Universe& universe_;
  const IsChosen is_chosen_;
  std::map<std::pair<storage::GroupId, paxos::ReplicaId>, Said> said_;
  // What was proposed: one value in a slot of a ballot (Paxos Made Simple, section 2.2).
  std::map<storage::GroupId, std::map<std::pair<storage::Slot, paxos::Ballot>, paxos::Entry>>
      proposed_;
};

}  // namespace simulation

#endif  // SIMULATION_SENT_MESSAGES_H_
