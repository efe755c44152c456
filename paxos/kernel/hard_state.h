// HardState: what an acceptor must not forget (PX-DURABLE). Beside the entries of its log, which
// are saved one by one.
#ifndef PAXOS_KERNEL_HARD_STATE_H_
#define PAXOS_KERNEL_HARD_STATE_H_

#include "paxos/kernel/ballot.h"
#include "paxos/kernel/configuration.h"
#include "paxos/kernel/entry.h"

namespace paxos {

// A lease vote given, and kept across a restart (PX-LEASE).
struct Vote {
  ReplicaId holder;  // 0: free.
  Ballot ballot;     // The holder's, when it last asked.
  // Everybody else is refused until TT.Now().earliest is past this.
  Timestamp held_until = Timestamp::Min();
  // The holder counts it until its TT.Now().latest reaches this.
  Timestamp expiry = Timestamp::Min();

  friend bool operator==(const Vote&, const Vote&) = default;
};

struct HardState {
  ReplicaId self;
  Ballot promised;
  Vote vote;
  // No leader before the present holder of the vote assigned or promised above this (PX-CEILING).
  Timestamp ceiling = Timestamp::Min();
  // The latest configuration known to be chosen, and where.
  Configuration configuration;
  Slot configuration_slot;

  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_HARD_STATE_H_
