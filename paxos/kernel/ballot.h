// Ballot: a round of voting and who asked for it; ordered, and never used by two replicas.
#ifndef PAXOS_KERNEL_BALLOT_H_
#define PAXOS_KERNEL_BALLOT_H_

#include <compare>
#include <cstdint>
#include <ostream>

#include "runtime/strong_id.h"

namespace paxos {

// A member of a group, for as long as it is one. A node that lost its disk comes back under a new
// one (PX-DURABLE), so this and not the node's id stands in ballots and votes. 0 is nobody.
using ReplicaId = runtime::StrongId<struct ReplicaIdTag, uint32_t>;

struct Ballot {
  uint64_t round = 0;  // 0: before all ballots.
  ReplicaId replica;

  friend constexpr auto operator<=>(const Ballot&, const Ballot&) = default;
  friend std::ostream& operator<<(std::ostream& out, Ballot ballot) {
    return out << ballot.round << '.' << ballot.replica;
  }
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_BALLOT_H_
