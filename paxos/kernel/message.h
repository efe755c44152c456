// What the replicas of a group say to each other. Phase 1 and 2 are Lamport's (Paxos Made Simple,
// section 2.2); lease votes ride on them (PX-LEASE).
//
//   candidate                       acceptor
//     Canvass   ------------------>            would you? (changes nothing, so that who was away
//               <------------------ Canvassed  disturbs nobody)
//     Prepare   ------------------>            phase 1, for all slots from the first unchosen one,
//               <------------------ Promise    and a lease vote
//     Accept    ------------------>            phase 2, many slots; without entries a heartbeat
//               <------------------ Accepted
//     Release   ------------------>            the votes are free again
//
// Refuse answers the first three; Removed tells a replica that it is no member.
#ifndef PAXOS_KERNEL_MESSAGE_H_
#define PAXOS_KERNEL_MESSAGE_H_

#include <optional>
#include <ostream>
#include <variant>
#include <vector>

#include "paxos/kernel/ballot.h"
#include "paxos/kernel/entry.h"
#include "paxos/kernel/moment.h"

namespace paxos {

// Asks for a lease vote, or its renewal.
struct VoteRequest {
  // The candidate counts the vote until its own TT.Now().latest reaches this: the earliest moment
  // at which it may have asked, plus `length`. As it assigns and promises nothing at or above the
  // end of its lease, this is the ceiling too (PX-CEILING).
  Timestamp expiry;
  Duration length{};

  friend bool operator==(const VoteRequest&, const VoteRequest&) = default;
};

// The votes that went to `ballot` are free, and no timestamp above `ceiling` was assigned or
// promised under it; Min() if none was.
struct Released {
  Ballot ballot;
  Timestamp ceiling = Timestamp::Min();

  friend bool operator==(const Released&, const Released&) = default;
};

struct Canvass {
  Ballot ballot;  // The one that Prepare would have.
  Slot chosen_through;
};

struct Canvassed {
  Ballot ballot;
};

struct Prepare {
  Ballot ballot;
  Slot chosen_through;  // All slots after this one are meant.
  VoteRequest vote;
  // What the candidate's own last ballot, or the leader that named it its successor, gave back.
  std::optional<Released> released;
};

struct Promise {
  Ballot ballot;
  std::vector<AcceptedEntry> accepted;   // Ascending; slots after Prepare's chosen_through.
  Timestamp ceiling = Timestamp::Min();  // Of all votes ever given, but for the released ones.
  std::optional<Timestamp> vote_expiry;  // The vote was given.
};

// "Nothing at or below `timestamp` will stand in a slot after `slot`" (MinNextTS, Corbett et al.
// 2012, section 4.2.4).
struct SafeTimePromise {
  Slot slot;
  Timestamp timestamp = Timestamp::Min();

  friend bool operator==(const SafeTimePromise&, const SafeTimePromise&) = default;
};

struct Accept {
  Ballot ballot;
  Slot first;  // Of the entries, whose slots follow each other.
  std::vector<Entry> entries;
  Slot chosen_through;
  std::optional<VoteRequest> vote;
  std::optional<SafeTimePromise> safe_time;
};

struct Accepted {
  Ballot ballot;
  Slot first;
  uint64_t count = 0;  // Slots [first, first + count) are accepted.
  std::optional<Timestamp> vote_expiry;
  // Every slot up to here is chosen, and on the sender's disk.
  Slot durable_through;
};

enum class RefuseReason : uint8_t {
  kBallot,  // A higher ballot was promised.
  kHeld,    // The lease vote is another's.
  kBehind,  // The candidate lacks slots that are chosen.
  kClock,   // The acceptor's clock is not time-safe, and a vote was asked for.
};

struct Refuse {
  Ballot ballot;  // The one that asked.
  RefuseReason reason = RefuseReason::kBallot;
  Ballot promised;
  Slot chosen_through;
  Duration held_for{};  // kHeld: how much longer, by the acceptor's clock.
};

struct Release {
  Released released;
  ReplicaId successor;  // It may stand at once. 0: nobody is named.
};

struct Removed {
  Slot configuration_slot;  // Of the configuration that the receiver is not in.
};

using Body =
    std::variant<Canvass, Canvassed, Prepare, Promise, Accept, Accepted, Refuse, Release, Removed>;

struct Message {
  ReplicaId from;
  ReplicaId to;
  Body body;
};

const char* BodyName(const Body& body);
std::ostream& operator<<(std::ostream& out, const Body& body);
std::ostream& operator<<(std::ostream& out, const Message& message);

}  // namespace paxos

#endif  // PAXOS_KERNEL_MESSAGE_H_
