// Candidacy: a replica's attempt to become leader, as far as it has come: first who would vote for
// it, then who promised, who voted, and what they had accepted.
#ifndef PAXOS_KERNEL_CANDIDACY_H_
#define PAXOS_KERNEL_CANDIDACY_H_

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "paxos/kernel/configuration.h"
#include "paxos/kernel/lease_count.h"
#include "paxos/kernel/message.h"

namespace paxos {

struct Candidacy {
  Ballot ballot;
  MonotonicTime since;
  MonotonicTime ask_again_at;  // Those who did not agree yet.
  bool canvassing = true;

  std::set<ReplicaId> canvassed;  // They would.
  std::set<ReplicaId> behind;     // They know more, and refused.
  std::set<ReplicaId> promised;
  LeaseCount votes;
  std::optional<Released> released;
  // What the candidate asked from on: the last slot it knew to be chosen.
  Slot chosen_through;
  // The highest-ballot value of each slot, of those reported (Paxos Made Simple, 2.2, P2c).
  std::map<Slot, AcceptedEntry> reported;
  Timestamp ceiling = Timestamp::Min();

  void Take(ReplicaId from, const Promise& promise);
};

// What a new leader proposes first, in the slots after `base`, the last one it knows to be chosen:
// the reported values, with no-ops in the gaps, up to the first configuration if there is one.
// (What lies above a configuration was proposed under it: a new phase 1 under it has to find that.)
//
// A reported value may be out of the order of timestamps: it was accepted by a minority, under a
// leader that died, and the next one did not see it. Of two values that cannot both stand, the one
// of the lower ballot was not chosen, and is dropped. For if it had been, the leader of the higher
// ballot would have found it in its phase 1 and proposed it too; and all that one leader proposes
// is in order, with a timestamp for each slot.
std::vector<Entry> Reproposals(const std::map<Slot, AcceptedEntry>& reported, Slot base,
                               Timestamp base_timestamp);

}  // namespace paxos

#endif  // PAXOS_KERNEL_CANDIDACY_H_
