// What a leader does: it assigns timestamps and proposes, renews its lease, keeps the others going,
// changes the membership, and hands over.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/kernel/replica.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace paxos {

bool Replica::leads(const Moment& moment) const {
  return (role_ == Role::kLeading || role_ == Role::kAbdicating) && moment.time_safe &&
         leadership_->votes.Valid(configuration(), moment);
}

// --- Time ---

void Replica::TickLeader(const Moment& moment) {
  // PX-STALL: a leader whose disk does not answer lets its lease run out.
  if (moment.monotonic >= leadership_->renew_at && !Stalled(moment)) {
    Renew(moment);
  } else if (leadership_->told_chosen < chosen_through()) {
    TellChosenInTime(moment);
  }
  // Its own acceptor may have refused: then it leads no longer.
  if (leadership_ && role_ == Role::kRecovering) Open();
  if (leadership_) Retransmit(moment);
  if (leadership_ && role_ == Role::kLeading) PreferOther(moment);
  if (leadership_ && role_ == Role::kAbdicating) FinishAbdication(moment);
  if (leadership_) WakeBy(leadership_->renew_at);
}

void Replica::Renew(const Moment& moment) {
  Leadership& leader = *leadership_;
  // At multiples of the period, so that those of all groups of a node go in one batch.
  const int64_t period = options_.renew_every.count();
  const int64_t now = moment.monotonic.nanoseconds();
  leader.renew_at = MonotonicTime(now - now % period + period);
  if (role_ == Role::kLeading) {
    // MinNextTS: commits take their timestamp from a later TT.Now().latest anyway.
    const Timestamp limit = std::min(moment.now.latest, lease_end()) - Duration(1);
    leader.last_timestamp = std::max(leader.last_timestamp, limit);
  }
  Accept accept = NewAccept();
  accept.vote = VoteRequest{moment.now.earliest + options_.lease, options_.lease};
  leader.Told(chosen_through());
  SendToOthers(accept);
  if (!AcceptOwn(accept, moment)) LoseLead();
}

void Replica::TellChosenInTime(const Moment& moment) {
  std::optional<MonotonicTime>& tell_by = leadership_->tell_by;
  if (!tell_by) tell_by = moment.monotonic + options_.tell_after;
  if (moment.monotonic < *tell_by) return WakeBy(*tell_by);
  TellChosen();
}

void Replica::TellChosen() {
  leadership_->Told(chosen_through());
  SendToOthers(NewAccept());
}

bool Replica::AcceptOwn(const Accept& accept, const Moment& moment) {
  if (!acceptor_.Take(self(), accept, moment)) return false;
  acceptor_.Answer(self(), accept, installed_, moment);
  return true;
}

void Replica::LoseLead() {
  ++counts_.leads_lost;
  StepDown();
}

void Replica::Retransmit(const Moment& moment) {
  Leadership& leader = *leadership_;
  if (Next(chosen_through()) >= leader.unsent_from) return;
  const MonotonicTime due = leader.progress_at + options_.retransmit_after;
  if (moment.monotonic < due) return WakeBy(due);
  leader.progress_at = moment.monotonic;
  WakeBy(moment.monotonic + options_.retransmit_after);
  Accept accept = NewAccept();
  accept.first = Next(chosen_through());
  size_t bytes = 0;
  for (Slot slot = accept.first; slot < leader.unsent_from; slot = Next(slot)) {
    const Entry& entry = window_.Find(slot)->entry;
    bytes += entry.bytes();
    if (bytes > options_.message_bytes_max && !accept.entries.empty()) break;
    accept.entries.push_back(entry);
  }
  counts_.retransmitted += accept.entries.size();
  for (const Member& member : configuration().members()) {
    if (member.voter && member.replica != self()) outbox_.Send(member.replica, accept);
  }
}

void Replica::Open() {
  Leadership& leader = *leadership_;
  if (leader.opened) return;
  // The first of its own: once it is chosen, nothing that an earlier leader left at a minority can
  // be taken up again by a later one, below what this one has promised (docs/paxos.md, Recovery).
  const Timestamp timestamp = leader.last_timestamp + Duration(1);
  if (timestamp >= lease_end() && !options_.without.within_lease) return;  // PX-WITHIN-LEASE.
  leader.opened = true;
  leader.last_timestamp = timestamp;
  leader.unsent.push_back({.kind = EntryKind::kNoOp,
                           .timestamp = timestamp,
                           .command = nullptr,
                           .configuration = nullptr});
  leader.unsent_bytes += leader.unsent.back().bytes();
  leader.recover_through = Previous(leader.next());
}

void Replica::PreferOther(const Moment& moment) {
  if (preferred_ == ReplicaId() || preferred_ == self() || !configuration().IsVoter(preferred_)) {
    return;
  }
  const Peer* const peer = FindPeer(preferred_);
  if (peer == nullptr || moment.monotonic - peer->heard_at > options_.renew_every * 2) return;
  // Healthy: it has answered, and has all that was chosen then, or nearly.
  if (peer->durable_through == Slot()) return;
  if (peer->durable_through.value() + options_.open_slots_max / 4 < chosen_through().value()) {
    return;
  }
  (void)Abdicate(preferred_, moment);  // Refused if a configuration is under way: later, then.
}

// --- Messages ---

Accept Replica::NewAccept() const {
  Accept accept{.ballot = leadership_->ballot,
                .first = leadership_->next(),
                .entries = {},
                .chosen_through = chosen_through(),
                .vote = std::nullopt,
                .safe_time = std::nullopt};
  // Who is still recovering has no right to promise anything yet.
  if (role_ != Role::kRecovering) {
    accept.safe_time = SafeTimePromise{Previous(accept.first), leadership_->last_timestamp};
  }
  return accept;
}

void Replica::SendToOthers(const Accept& accept) {
  for (const Member& member : configuration().members()) {
    if (member.replica != self()) outbox_.Send(member.replica, accept);
  }
}

void Replica::SendUnsent(const Moment& moment) {
  while (leadership_ && !leadership_->unsent.empty()) {
    Leadership& leader = *leadership_;
    // What was recovered may be more than the acceptors take at once: the rest when this is applied.
    const uint64_t room = window_.base().value() + options_.open_slots_max;
    if (leader.unsent_from.value() > room) return;
    if (leader.unsent_from == Next(chosen_through())) leader.progress_at = moment.monotonic;
    Accept accept = NewAccept();
    accept.first = leader.unsent_from;
    size_t bytes = 0;
    auto end = leader.unsent.begin();
    const auto limit = end + static_cast<ptrdiff_t>(std::min(
                                 leader.unsent.size(), room + 1 - leader.unsent_from.value()));
    while (end != limit &&
           (end == leader.unsent.begin() || bytes + end->bytes() <= options_.message_bytes_max)) {
      bytes += end->bytes();
      ++end;
    }
    accept.entries.assign(std::make_move_iterator(leader.unsent.begin()),
                          std::make_move_iterator(end));
    leader.unsent.erase(leader.unsent.begin(), end);
    leader.unsent_bytes -= bytes;
    leader.unsent_from = Slot(leader.unsent_from.value() + accept.entries.size());
    leader.Told(chosen_through());
    wake_ = MonotonicTime::Min();
    for (const Member& member : configuration().members()) {
      if (member.replica == self()) continue;
      // Who has been silent gets heartbeats only: what it misses it fetches when it is back, and
      // nothing is kept for it here.
      const Peer& peer =
          leader.peers.try_emplace(member.replica, Peer{moment.monotonic, Slot()}).first->second;
      if (moment.monotonic - peer.heard_at <= options_.renew_every * 2) {
        outbox_.Send(member.replica, accept);
      }
    }
    if (!AcceptOwn(accept, moment)) return LoseLead();
  }
}

void Replica::On(ReplicaId from, const Accepted& accepted, const Moment& moment) {
  if (!leadership_ || accepted.ballot != leadership_->ballot) return;
  const std::vector<Member>& members = configuration().members();
  const Member* const member = configuration().Find(from);
  if (member == nullptr) return;
  Leadership& leader = *leadership_;
  Peer& peer = leader.peers[from];
  peer.heard_at = moment.monotonic;
  peer.durable_through = std::max(peer.durable_through, accepted.durable_through);
  if (accepted.vote_expiry) {
    leader.votes.Count(
        from, options_.without.lease ? moment.now.latest + options_.lease : *accepted.vote_expiry);
  }
  const uint64_t end =
      std::min(accepted.first.value() + accepted.count, leader.unsent_from.value());
  for (Slot slot = accepted.first; slot.value() < end; slot = Next(slot)) {
    leader.Count(static_cast<size_t>(member - members.data()), slot);
    // PX-PIPELINE: slots may be chosen out of order.
    if (!window_.IsChosen(slot) && leader.HasMajority(configuration(), slot)) {
      window_.MarkChosen(slot);
    }
  }
  ChosenAdvanced(moment);
  if (leadership_) Dismiss();
  if (leadership_ && role_ == Role::kAbdicating) FinishAbdication(moment);
}

// --- Proposals ---

absl::Status Replica::CheckMayAssign(Timestamp timestamp, const Moment& moment) const {
  if (!leads(moment)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "replica ", self().value(), " does not lead: ",
        leading_ballot() ? "its lease is over" : absl::StrCat("it is ", RoleName(role_))));
  }
  if (role_ == Role::kAbdicating) {
    return absl::UnavailableError("the lead is being handed over");
  }
  // PX-WITHIN-LEASE.
  if (timestamp >= lease_end() && !options_.without.within_lease) {
    return absl::UnavailableError(absl::StrCat("timestamp ", timestamp.nanoseconds(),
                                               " is not inside the lease, which ends ",
                                               (timestamp - lease_end()).count(), " ns before"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Proposed> Replica::Append(Entry entry, Timestamp at_least, const Moment& moment) {
  Leadership& leader = *leadership_;
  entry.timestamp = std::max(at_least, leader.last_timestamp + Duration(1));
  RETURN_IF_ERROR(CheckMayAssign(entry.timestamp, moment));
  const uint64_t open_slots = leader.next().value() - 1 - window_.base().value();
  if (open_slots >= options_.open_slots_max ||
      window_.open_bytes() + leader.unsent_bytes + entry.bytes() > options_.open_bytes_max) {
    ++counts_.overloaded;
    return absl::ResourceExhaustedError(absl::StrCat("overloaded: ", open_slots, " slots with ",
                                                     window_.open_bytes() + leader.unsent_bytes,
                                                     " bytes are open"));
  }
  const Proposed proposed{leader.ballot, leader.next(), entry.timestamp};
  leader.last_timestamp = entry.timestamp;
  leader.unsent_bytes += entry.bytes();
  leader.unsent.push_back(std::move(entry));
  return proposed;
}

absl::StatusOr<Proposed> Replica::Propose(std::string command, Timestamp at_least,
                                          const Moment& moment) {
  RETURN_IF_ERROR(CheckMayAssign(at_least, moment));
  if (leadership_->reconfiguring) {
    return absl::UnavailableError("the members of the group are being changed");
  }
  return Append({.kind = EntryKind::kCommand,
                 .timestamp = {},
                 .command = std::make_shared<const std::string>(std::move(command)),
                 .configuration = nullptr},
                at_least, moment);
}

absl::Status Replica::Pin(Timestamp timestamp, const Moment& moment) {
  RETURN_IF_ERROR(CheckMayAssign(timestamp, moment));
  leadership_->last_timestamp = std::max(leadership_->last_timestamp, timestamp);
  return absl::OkStatus();
}

Timestamp Replica::LeaderSafeTime(Slot applied) const {
  if (role_ != Role::kLeading) return Timestamp::Min();
  const Leadership& leader = *leadership_;
  const Slot next(applied.value() + 1);
  if (next >= leader.next()) return leader.last_timestamp;
  if (next >= leader.unsent_from) {
    return leader.unsent[next.value() - leader.unsent_from.value()].timestamp - Duration(1);
  }
  const AcceptedEntry* const entry = window_.Find(next);
  return entry == nullptr ? Timestamp::Min() : entry->entry.timestamp - Duration(1);
}

absl::Status Replica::Guard(Timestamp timestamp, const Moment& moment) {
  // Within the lease no other leader assigns anything (PX-DISJOINT, PX-CEILING), unless this one
  // hands over: see FinishAbdication().
  RETURN_IF_ERROR(CheckMayAssign(timestamp, moment));
  leadership_->guarded = std::max(leadership_->guarded, timestamp);
  return absl::OkStatus();
}

// --- Membership ---

bool Replica::MayDismiss() const {
  if (!leadership_) return false;
  std::set<ReplicaId> know;
  for (const auto& [replica, peer] : leadership_->peers) {
    if (peer.durable_through >= hard_state().configuration_slot) know.insert(replica);
  }
  return configuration().HasMajority(know);
}

void Replica::Dismiss() {
  if (leadership_->leaving.empty() || !MayDismiss()) return;
  for (const ReplicaId replica : std::exchange(leadership_->leaving, {})) {
    outbox_.Send(replica, Removed{hard_state().configuration_slot});
  }
}

bool Replica::HasLogDurably(const Configuration& next, const Moment& moment) const {
  std::set<ReplicaId> have;
  for (const Member& member : next.members()) {
    const Peer* const peer = FindPeer(member.replica);
    const bool has = peer != nullptr && peer->durable_through >= chosen_through() &&
                     moment.monotonic - peer->heard_at <= options_.renew_every * 2;
    if (has) have.insert(member.replica);
    // A learner becomes a voter when it has caught up.
    if (!has && member.voter && !configuration().IsVoter(member.replica)) return false;
  }
  return next.HasMajority(have);
}

absl::StatusOr<Proposed> Replica::Reconfigure(Configuration next, const Moment& moment) {
  RETURN_IF_ERROR(CheckMayAssign(Timestamp::Min(), moment));
  RETURN_IF_ERROR(configuration().CheckStepTo(next));
  if (!next.IsVoter(self())) {
    return absl::InvalidArgumentError("a leader does not remove itself: hand over first");
  }
  // PX-RECONFIG, alpha = 1: everything before is chosen under the old configuration, everything
  // after under the new one, whose majority must have all of it on disk: the old one may forget.
  if (leadership_->reconfiguring || !Drained() || !HasLogDurably(next, moment)) {
    leadership_->renew_at = MonotonicTime::Min();  // Brings news of who has what.
    wake_ = MonotonicTime::Min();
    return absl::AbortedError("slots are open, or the new members do not have the log yet");
  }
  ASSIGN_OR_RETURN(const Proposed proposed,
                   Append({.kind = EntryKind::kConfiguration,
                           .timestamp = {},
                           .command = nullptr,
                           .configuration = std::make_shared<const Configuration>(std::move(next))},
                          moment.now.latest, moment));
  leadership_->reconfiguring = proposed.slot;
  return proposed;
}

// --- Handing over ---

absl::Status Replica::Abdicate(ReplicaId successor, const Moment& moment) {
  RETURN_IF_ERROR(CheckMayAssign(Timestamp::Min(), moment));
  if (successor == self() || !configuration().IsVoter(successor)) {
    return absl::InvalidArgumentError(
        absl::StrCat("replica ", successor.value(), " is not another voter of the group"));
  }
  if (leadership_->reconfiguring) {
    return absl::AbortedError("the members of the group are being changed");
  }
  role_ = Role::kAbdicating;
  leadership_->successor = successor;
  leadership_->abdicate_by = moment.monotonic + options_.candidacy_max;
  leadership_->renew_at = MonotonicTime::Min();  // The successor learns what is chosen.
  wake_ = MonotonicTime::Min();
  return absl::OkStatus();
}

void Replica::FinishAbdication(const Moment& moment) {
  Leadership& leader = *leadership_;
  WakeBy(leader.abdicate_by);
  const Peer* const peer = FindPeer(*leader.successor);
  if (!Drained() || peer == nullptr || peer->durable_through < chosen_through()) {
    // It hears what is chosen, and says when it has it.
    if (leader.told_chosen < chosen_through() && !Stalled(moment)) Renew(moment);
    if (!leadership_ || moment.monotonic < leader.abdicate_by) return;
    // The successor does not keep up: nobody is served while it is waited for.
    role_ = Role::kLeading;
    leader.successor.reset();
    return;
  }
  // PX-ABDICATE: s_max has passed everywhere before anybody else may assign.
  const Timestamp s_max = leader.s_max();
  if (moment.now.earliest <= s_max && !options_.without.abdicate) {
    return WakeBy(moment.monotonic + (s_max - moment.now.earliest) + Duration(1));
  }
  const Release release{.released = {leader.ballot, s_max}, .successor = *leader.successor};
  for (const Member& member : configuration().members()) {
    if (member.replica != self() && member.voter) outbox_.Send(member.replica, release);
  }
  acceptor_.Handle(release);
  StepDown();
  StandIn(options_.candidacy_max + Jitter(), moment);
}

}  // namespace paxos
