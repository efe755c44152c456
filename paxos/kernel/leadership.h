// Leadership: what a leader knows beyond the log: its votes, what it has assigned and promised, who
// has accepted what, and how the others keep up.
#ifndef PAXOS_KERNEL_LEADERSHIP_H_
#define PAXOS_KERNEL_LEADERSHIP_H_

#include <deque>
#include <map>
#include <optional>

#include "paxos/kernel/lease_count.h"
#include "paxos/kernel/message.h"

namespace paxos {

// Another member, as its leader sees it.
struct Peer {
  MonotonicTime heard_at = MonotonicTime::Min();
  Slot durable_through;
};

struct Leadership {
  Ballot ballot;
  LeaseCount votes;
  // s_max: the highest timestamp assigned or promised, by this leader or any before it.
  Timestamp last_timestamp = Timestamp::Min();
  // Recovering until all slots up to here are chosen.
  Slot recover_through;
  // The slot of the next proposal; those from `unsent` on were not sent yet.
  Slot next;
  Slot unsent;
  // Who has accepted the open slots: accepted_by[i] is that of slot first_open + i.
  Slot first_open;
  std::deque<std::set<ReplicaId>> accepted_by;
  // A configuration is proposed and not chosen yet: nothing comes after it (alpha = 1).
  std::optional<Slot> reconfiguring;

  std::map<ReplicaId, Peer> peers;
  MonotonicTime renewed_at = MonotonicTime::Min();
  MonotonicTime progress_at = MonotonicTime::Min();  // Something was chosen, or sent again.
  Slot told_chosen;                                  // The chosen_through that all were told.

  std::optional<ReplicaId> successor;  // Abdicating.

  Leadership(Ballot ballot, LeaseCount votes, Slot chosen_through);
  // `replica` accepted `slot`.
  void Count(ReplicaId replica, Slot slot);
  // Whether `slot` is accepted by a majority.
  bool HasMajority(const Configuration& configuration, Slot slot) const;
  void ForgetThrough(Slot chosen_through);
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_LEADERSHIP_H_
