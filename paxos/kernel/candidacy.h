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
  MonotonicTime sent_at;  // When the question was last sent.
  bool canvassing = true;

  std::set<ReplicaId> canvassed;  // They would.
  std::set<ReplicaId> promised;
  LeaseCount votes;
  Prepare prepare;
  // The highest-ballot value of each slot, of those reported (Paxos Made Simple, 2.2, P2c).
  std::map<Slot, AcceptedEntry> reported;
  Timestamp ceiling = Timestamp::Min();

  void Take(ReplicaId from, const Promise& promise);
};

// What a new leader proposes first: the reported values in slots after `chosen_through`, with no-ops
// in the gaps, up to the first configuration if there is one. (What lies above a configuration was
// proposed under it: it is for a new phase 1 under that configuration to find.) `no_ops` is raised.
std::vector<Entry> Reproposals(const std::map<Slot, AcceptedEntry>& reported, Slot chosen_through,
                               uint64_t* no_ops);

}  // namespace paxos

#endif  // PAXOS_KERNEL_CANDIDACY_H_
