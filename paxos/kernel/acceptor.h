// Acceptor: what a replica promises, accepts and votes for. The half of it that must not forget.
//
// Place:       a part of Replica, which routes messages to it and owns the window and the outbox.
// Guarantees:  it never accepts below what it promised (Paxos Made Simple, 2.2, P1a); its lease
//              vote belongs to one candidate at a time, and until it has certainly run out nobody
//              else gets a vote or a promise (PX-LEASE, appendix A of the Spanner paper), also
//              across a restart; entries out of the order of timestamps are refused (PX-CEILING).
//              It does not ask who is a member: candidates count only those who are.
#ifndef PAXOS_KERNEL_ACCEPTOR_H_
#define PAXOS_KERNEL_ACCEPTOR_H_

#include <optional>

#include "paxos/kernel/hard_state.h"
#include "paxos/kernel/log_window.h"
#include "paxos/kernel/message.h"
#include "paxos/kernel/options.h"
#include "paxos/kernel/outbox.h"

namespace paxos {

class Acceptor {
 public:
  // The options, the window, the outbox and the counts outlive it.
  Acceptor(const ReplicaOptions* options, HardState state, LogWindow* window, Outbox* outbox,
           ReplicaCounts* counts);

  const HardState& hard_state() const { return state_; }
  // The newest promise of a leader.
  const SafeTimePromise& safe_time() const { return safe_time_; }

  // Whether `candidate` could have the vote now.
  bool FreeFor(ReplicaId candidate, const Moment& moment) const;
  // How much longer others are refused, by this clock; 0 if they are not.
  Duration HeldFor(const Moment& moment) const;

  // Each answers through the outbox.
  void Handle(ReplicaId from, const Canvass& canvass, const Moment& moment);
  void Handle(ReplicaId from, const Prepare& prepare, const Moment& moment);
  // In two steps, so that what became chosen by it is taken note of before the answer says so. False
  // if the message was refused; no second step, then.
  bool Take(ReplicaId from, const Accept& accept, const Moment& moment);
  // `installed`: whether this replica has the state of what is below its window.
  void Answer(ReplicaId from, const Accept& accept, bool installed, const Moment& moment);
  void Handle(const Release& release) { GiveBack(release.released); }

  // Accepts nothing below `ballot` any more: something was chosen in it, or after it.
  void Follow(Ballot ballot);
  void AdoptConfiguration(const Configuration& configuration, Slot slot);

 private:
  // Of a vote that is not free.
  RefuseReason WhyNotFree(const Moment& moment) const;
  void RefuseTo(ReplicaId from, Ballot ballot, RefuseReason reason, const Moment& moment);
  void GiveBack(const Released& released);
  // Gives or renews the vote if it may; until when the holder will count it, then.
  std::optional<Timestamp> GiveVote(ReplicaId to, Ballot ballot, const VoteRequest& vote,
                                    const Moment& moment);
  // The ceiling for whoever leads under `ballot`.
  Timestamp CeilingFor(Ballot ballot) const;
  // Whether all entries could stand where they are to stand.
  bool InOrder(const Accept& accept) const;
  void TakeEntries(const Accept& accept);
  void MarkChosen(const Accept& accept);

  const ReplicaOptions& options_;
  HardState state_;
  LogWindow& window_;
  Outbox& outbox_;
  ReplicaCounts& counts_;
  SafeTimePromise safe_time_;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_ACCEPTOR_H_
