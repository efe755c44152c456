// Leadership: what a leader knows beyond the log: its votes, what it has assigned and promised, who
// has accepted what, and how the others keep up.
#ifndef PAXOS_KERNEL_LEADERSHIP_H_
#define PAXOS_KERNEL_LEADERSHIP_H_

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "paxos/kernel/configuration.h"
#include "paxos/kernel/lease_count.h"
#include "paxos/kernel/message.h"

namespace paxos {

// Another member, as its leader sees it.
struct Peer {
  MonotonicTime heard_at = MonotonicTime::Min();
  // It has every slot up to here, chosen and on its disk.
  Slot durable_through;
};

class Leadership {
 public:
  Leadership(Ballot ballot, LeaseCount votes, Slot chosen_through, Timestamp last_timestamp);

  // `member`, the so-many-th of the configuration, accepted `slot`.
  void Count(size_t member, Slot slot);
  // Whether a majority has accepted `slot` (PX-ONE-VALUE: then it is chosen).
  bool HasMajority(const Configuration& configuration, Slot slot) const;
  void ForgetThrough(Slot chosen_through);
  // All are told now what is chosen.
  void Told(Slot chosen_through);
  // No other leadership assigns anything at or below it.
  Timestamp s_max() const { return std::max(last_timestamp, guarded); }
  // The slot of the next proposal.
  Slot next() const { return Slot(unsent_from.value() + unsent.size()); }

  const Ballot ballot;
  LeaseCount votes;
  // The highest timestamp assigned or promised, by this leader or any before it.
  Timestamp last_timestamp;
  // It promised that no other leadership assigns anything at or below.
  Timestamp guarded = Timestamp::Min();
  // Recovering until all slots up to here are chosen.
  Slot recover_through;
  // It has proposed a first entry of its own; or the recovered ones end with a configuration, and
  // phase 1 begins anew when that is chosen.
  bool opened = false;
  // Proposed and not sent yet, from slot unsent_from on.
  std::vector<Entry> unsent;
  Slot unsent_from;
  size_t unsent_bytes = 0;
  // A configuration was proposed and is not chosen yet: nothing comes after it (alpha = 1).
  std::optional<Slot> reconfiguring;
  // Removed by it, and not told yet.
  std::vector<ReplicaId> leaving;
  // Abdicating: to whom, and until when it is tried.
  std::optional<ReplicaId> successor;
  MonotonicTime abdicate_by;

  std::map<ReplicaId, Peer> peers;
  MonotonicTime renew_at = MonotonicTime::Min();
  // When something was chosen, or sent, or sent again.
  MonotonicTime progress_at = MonotonicTime::Min();
  // The chosen_through that all were told last, and when they are to be told the present one at the
  // latest.
  Slot told_chosen;
  std::optional<MonotonicTime> tell_by;

 private:
  // Who has accepted the slots from first_open_ on: a bit for each member of the configuration,
  // which does not change while slots are open.
  Slot first_open_;
  std::deque<uint32_t> accepted_by_;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_LEADERSHIP_H_
