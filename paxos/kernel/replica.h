// Replica: one member of a Paxos group, as a kernel. Events and the time go in, effects come out.
//
// Place:       above storage's ids, below the driver (paxos/group.h), which alone calls it.
// Roles:
//                           nobody leads              a majority would             a majority of
//                 +------+  (the vote is  +------------+  vote  +-----------+  promises and votes
//   restart  ---> |follow| ---- free) --> |canvassing  | -----> | preparing | ------------+
//                 +------+                +------------+        +-----------+             v
//                    ^                        |  behind, held, refused |           +------------+
//                    +------------------------+------------------------+           | recovering |
//                    ^                                                             +------------+
//                    |  the lease ended   +-----------+   the reported slots, and        |
//                    +--------------------|  leading  | <- a no-op of its own, ----------+
//                    |                    +-----------+    are chosen
//                    |  votes released    +------------+      | Abdicate()
//                    +--------------------| abdicating | <----+
//                                         +------------+
//   A leader's message that it is no member any more ends it: `removed`.
// Invariants:  (1) A promise, an accept and a lease vote leave only after they were saved
//              (PX-DURABLE). (2) A slot known to be chosen never changes its value (PX-ONE-VALUE).
//              (3) Entries come out in the order of their slots, each once (PX-PIPELINE), with
//              growing timestamps (PX-MONOTONE). (4) It leads only while a majority of votes is
//              valid by its own count (PX-LEASE), and assigns only below the end of that lease
//              (PX-WITHIN-LEASE). (5) It assigns and promises in one order: every timestamp is
//              above all those before.
// Time:        every call brings a Moment. Rules read the interval; the monotonic clock is only for
//              time-outs. Whoever relies on leads() after a wait asks again (PX-STALL).
// Crash:       all but HardState and the accepted entries is lost, and rebuilt by Recovered.
// Concurrency: one loop; the driver waits for nothing between a call and TakeReady().
// Paper:       Lamport, Paxos Made Simple, 2.2 to 3; Corbett et al. 2012, 4.1.1, 4.1.2, and its
//              appendix A on leases; Lamport et al., Reconfiguring a State Machine (alpha = 1).
//              Differences: a lease vote and a promise are given together; the ceiling of
//              timestamps rides on the vote; a candidate canvasses first (docs/paxos.md).
#ifndef PAXOS_KERNEL_REPLICA_H_
#define PAXOS_KERNEL_REPLICA_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/kernel/acceptor.h"
#include "paxos/kernel/candidacy.h"
#include "paxos/kernel/hard_state.h"
#include "paxos/kernel/leadership.h"
#include "paxos/kernel/log_window.h"
#include "paxos/kernel/message.h"
#include "paxos/kernel/options.h"
#include "paxos/kernel/outbox.h"
#include "runtime/random.h"

namespace paxos {

enum class Role : uint8_t {
  kFollower,
  kCanvassing,
  kPreparing,
  kRecovering,
  kLeading,
  kAbdicating,
  kRemoved,
};

const char* RoleName(Role role);

// What a replica begins with.
struct Recovered {
  HardState hard_state;
  // The state machine's: the last slot applied and its timestamp, and the configuration then. Not
  // installed: the state is gone, or half a snapshot; it votes and accepts, and waits for one.
  bool installed = true;
  Slot applied;
  Timestamp applied_timestamp = Timestamp::Min();
  // It may be newer than the hard state's: what is applied can be durable before that is.
  Configuration configuration;
  Slot configuration_slot;
  // The log was cut here: nothing below is kept.
  Slot truncated_before = Slot(1);
  // From the log, ascending, those after `applied` (or from truncated_before on).
  std::vector<AcceptedEntry> accepted;
};

struct Proposed {
  Ballot ballot;
  Slot slot;
  Timestamp timestamp;
};

// What is missing here is to be asked of `source`.
struct Fetch {
  Slot from;
  ReplicaId source;
};

// All effects of the calls since the last one.
struct Ready {
  std::vector<Message> messages;  // May leave now.
  std::optional<Save> save;       // Call Saved(save->id) once it is durable; ids ascend.
  std::vector<Chosen> apply;      // Slots that follow each other and what came out before.
  std::optional<Fetch> fetch;     // At most one at a time, until FetchEnded().
};

class Replica {
 public:
  // `seed` is for the jitter of elections.
  Replica(ReplicaOptions options, Recovered recovered, uint64_t seed);

  // --- What happens ---

  // A message arrived. What is not for this replica, or makes no sense, is dropped and counted.
  // One from a former member is answered with Removed.
  void Step(const Message& message, const Moment& moment);
  // Time has passed. Due at wake() at the latest, harmless before.
  void Tick(const Moment& moment);
  MonotonicTime wake() const { return wake_; }
  // The disk has it, and all saves before.
  void Saved(SaveId id, const Moment& moment);
  // The state machine has applied all that came out up to `slot`.
  void Applied(Slot slot);
  // Entries that a member said are chosen; of those, what follows the chosen ones here is taken.
  void Learn(std::vector<AcceptedEntry> chosen, const Moment& moment);
  void FetchEnded() { fetching_ = false; }
  // The state machine now holds a snapshot taken at `slot`, which is not before applied().
  void Installed(Slot slot, Timestamp timestamp, const Configuration& configuration,
                 Slot configuration_slot, const Moment& moment);
  // The state machine lost its state: votes go on, nothing else, until Installed().
  void Uninstalled(const Moment& moment);

  // --- What is asked of a leader ---

  // Whether it leads, now, by its own count.
  bool leads(const Moment& moment) const;
  // Proposes a command. Its timestamp is at least `at_least` and above all that were assigned or
  // promised. FAILED_PRECONDITION: not the leader. RESOURCE_EXHAUSTED: too many slots are open.
  // UNAVAILABLE: the timestamp would not be inside the lease, or the lead is being handed over.
  absl::StatusOr<Proposed> Propose(std::string command, Timestamp at_least, const Moment& moment);
  // Promises that nothing at or below `timestamp` will be assigned any more (s_max).
  absl::Status Pin(Timestamp timestamp, const Moment& moment);
  // Promises that no other ballot assigns anything at or below `timestamp`. UNAVAILABLE: that is not
  // inside the lease.
  absl::Status Guard(Timestamp timestamp, const Moment& moment);
  // Proposes the next configuration, a step away from the present one, when the pipeline is
  // drained. ABORTED: try again soon, since slots are open, or its majority does not have the log
  // yet.
  absl::StatusOr<Proposed> Reconfigure(Configuration next, const Moment& moment);
  // Hands the lead to `successor`, a voter; see PX-ABDICATE.
  absl::Status Abdicate(ReplicaId successor, const Moment& moment);
  // The lead is given to this member whenever it is healthy. 0: anyone.
  void SetPreferredLeader(ReplicaId replica) { preferred_ = replica; }

  Ready TakeReady(const Moment& moment);

  // --- What is known ---

  ReplicaId self() const { return options_.self; }
  Role role() const { return role_; }
  const HardState& hard_state() const { return acceptor_.hard_state(); }
  const Configuration& configuration() const { return hard_state().configuration; }
  // Under which ballot it leads; nothing if it does not.
  std::optional<Ballot> leading_ballot() const;
  // The end of the lease by the leader's own count; Min() if it does not lead.
  Timestamp lease_end() const;
  // The highest timestamp assigned or promised by this leader.
  Timestamp last_timestamp() const;
  // While it leads: nothing but what is applied, through `applied`, has a timestamp at or below it,
  // and nothing will (PX-CEILING, PX-DISJOINT). Min() if it does not lead.
  Timestamp LeaderSafeTime(Slot applied) const;
  // Who leads as far as this replica knows; 0 if nobody.
  ReplicaId leader_hint() const { return acceptor_.hard_state().vote.holder; }
  bool installed() const { return installed_; }
  Slot applied() const { return window_.base(); }
  Slot chosen_through() const { return window_.chosen_through(); }
  // The newest such promise of a leader.
  const SafeTimePromise& safe_time() const { return acceptor_.safe_time(); }
  // What a leader knows of the others; null if it does not lead, or of who is no member.
  const Peer* FindPeer(ReplicaId replica) const;
  const LogWindow& window() const { return window_; }
  const ReplicaCounts& counts() const { return counts_; }

 private:
  // --- Elections ---
  bool MayStand(const Moment& moment) const;
  void TickElection(const Moment& moment);
  void AskWhetherMember(const Moment& moment);
  void StartCanvass(const Moment& moment);
  void StartPrepare(std::optional<Released> released, const Moment& moment);
  // Asks those who did not agree yet.
  void Ask(const Moment& moment);
  // Whether those who did not refuse are a majority.
  bool CanWin() const;
  void WonPromises(const Moment& moment);
  void BeginToLead(const Moment& moment);
  void GiveUp(Duration backoff, const Moment& moment);
  void StepDown();
  void StandIn(Duration wait, const Moment& moment);

  // --- Messages, by kind ---
  void Deliver(const Message& message, const Moment& moment);
  void DeliverOwn(const Moment& moment);
  bool KnowsSender(const Message& message);
  // Whether this leader may tell former members that they were removed, which ends them. Not before
  // a majority of the new members has it on disk: as long as one of them might have to ask the
  // majority of the old ones what was chosen, those have to answer.
  bool MayDismiss() const;
  void Dismiss();
  // A leader whose own acceptor follows a higher ballot is none: what it hears from there to be
  // chosen, it must not tell under its own. (Only clocks that lie let it come so far.)
  void YieldToHigherBallot();
  void On(ReplicaId from, const Canvass& canvass, const Moment& moment);
  void On(ReplicaId from, const Canvassed& canvassed, const Moment& moment);
  void On(ReplicaId from, const Prepare& prepare, const Moment& moment);
  void On(ReplicaId from, const Promise& promise, const Moment& moment);
  void On(ReplicaId from, const Accept& accept, const Moment& moment);
  void On(ReplicaId from, const Accepted& accepted, const Moment& moment);
  void On(ReplicaId from, const Refuse& refuse, const Moment& moment);
  void On(ReplicaId from, const Release& release, const Moment& moment);
  void On(ReplicaId from, const Removed& removed, const Moment& moment);

  // --- The leader's part (replica_leader.cc) ---
  void TickLeader(const Moment& moment);
  void PreferOther(const Moment& moment);
  void FinishAbdication(const Moment& moment);
  void SendUnsent(const Moment& moment);
  void Retransmit(const Moment& moment);
  void Renew(const Moment& moment);
  void TellChosenInTime(const Moment& moment);
  void TellChosen();
  // A new leader's first proposal of its own, when its lease reaches past the floor.
  void Open();
  void LoseLead();
  // False if its own acceptor refused.
  bool AcceptOwn(const Accept& accept, const Moment& moment);
  Accept NewAccept() const;
  void SendToOthers(const Accept& accept);
  absl::Status CheckMayAssign(Timestamp timestamp, const Moment& moment) const;
  absl::StatusOr<Proposed> Append(Entry entry, Timestamp at_least, const Moment& moment);
  // Whether all that this leader proposed is chosen. (What an earlier one left in later slots, and
  // was not taken up, does not count.)
  bool Drained() const { return leadership_->next() == Next(chosen_through()); }
  bool HasLogDurably(const Configuration& configuration, const Moment& moment) const;

  // --- What is chosen ---
  // Takes note of what has become chosen: configurations, the end of a recovery.
  void ChosenAdvanced(const Moment& moment);
  void AdoptConfiguration(const Configuration& configuration, Slot slot);
  void HeardOfChosen(Slot through, ReplicaId source, const Moment& moment);
  void TickFetch(const Moment& moment);
  Timestamp ChosenTimestamp() const;
  // PX-CEILING: nothing is applied whose timestamp is not above those before.
  void CheckOrder(const AcceptedEntry& accepted) const;

  void WakeBy(MonotonicTime when) { wake_ = std::min(wake_, when); }
  // PX-STALL: the disk has had a save for too long.
  bool Stalled(const Moment& moment) const;
  Duration Jitter();

  const ReplicaOptions options_;
  runtime::Random random_;
  ReplicaCounts counts_;
  Outbox outbox_;
  LogWindow window_;
  Acceptor acceptor_;
  Role role_ = Role::kFollower;
  bool installed_;
  ReplicaId preferred_;
  MonotonicTime wake_ = MonotonicTime::Min();

  uint64_t round_high_ = 0;  // The highest heard of.
  // When to stand next; nothing while there is no reason to.
  std::optional<MonotonicTime> stand_at_;
  MonotonicTime ask_member_at_ = MonotonicTime::Min();
  std::optional<Candidacy> candidacy_;    // Canvassing, preparing.
  std::optional<Leadership> leadership_;  // Recovering, leading, abdicating.

  Slot handed_out_;    // The last slot that went to the state machine.
  Slot noted_chosen_;  // The last one that ChosenAdvanced() has seen.
  // What others know to be chosen, and who said so last; since when it is missing here.
  Slot chosen_elsewhere_;
  ReplicaId chosen_source_;
  std::optional<MonotonicTime> behind_since_;
  bool fetching_ = false;
  std::optional<Fetch> fetch_;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_REPLICA_H_
