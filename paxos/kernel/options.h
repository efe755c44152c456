// The settings of a replica, and what it counts.
#ifndef PAXOS_KERNEL_OPTIONS_H_
#define PAXOS_KERNEL_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "paxos/kernel/ballot.h"
#include "paxos/kernel/moment.h"

namespace paxos {

// Protocol rules that are switched off, to see what each is good for (simulation only).
struct Without {
  bool lease = false;         // PX-LEASE: votes are counted from when they arrive.
  bool within_lease = false;  // PX-WITHIN-LEASE: timestamps may lie past the lease.
  bool abdicate = false;      // PX-ABDICATE: votes are released before s_max has passed.
  bool ceiling = false;       // PX-CEILING: a new leader knows nothing of earlier promises.
  bool stall = false;         // PX-STALL: a leader whose disk stalls goes on renewing.
  bool monotone = false;      // PX-MONOTONE: a new leader starts from its clock alone.
};

struct ReplicaOptions {
  ReplicaId self;
  // L of PX-LEASE. Fail-over waits for it; 10 s in the paper.
  Duration lease = std::chrono::seconds(3);
  // How often votes are renewed; well below the lease, so that a lost message costs nothing.
  Duration renew_every = std::chrono::milliseconds(1000);
  // A message without an answer is sent again after so long.
  Duration retransmit_after = std::chrono::milliseconds(100);
  // What is chosen is told with the next proposal, or by itself if none comes for so long.
  Duration tell_after = std::chrono::milliseconds(2);
  // A candidacy that has not won by then is given up.
  Duration candidacy_max = std::chrono::milliseconds(500);
  // Candidates wait a random part of this, so that one is usually first.
  Duration election_jitter = std::chrono::milliseconds(100);
  // Chosen slots that do not arrive by themselves within this are fetched.
  Duration fetch_after = std::chrono::milliseconds(60);
  // A disk that takes longer makes a leader stop renewing (PX-STALL).
  Duration stall_max = std::chrono::milliseconds(750);
  // Slots, and their bytes, from the first unapplied to the last proposed.
  size_t open_slots_max = 4096;
  size_t open_bytes_max = 8 << 20;
  // How much of that goes into one message.
  size_t message_bytes_max = 512 << 10;
  Without without;
};

struct ReplicaCounts {
  uint64_t elections_won = 0;
  uint64_t elections_lost = 0;
  uint64_t leads_lost = 0;
  uint64_t no_ops = 0;            // Gaps filled.
  uint64_t reproposed = 0;        // Values of earlier ballots.
  uint64_t retransmitted = 0;     // Entries sent again.
  uint64_t messages_dropped = 0;  // Not for this replica, or without sense.
  uint64_t order_refused = 0;     // Entries whose timestamp is too low (PX-CEILING).
  uint64_t overloaded = 0;        // Proposals refused.
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_OPTIONS_H_
