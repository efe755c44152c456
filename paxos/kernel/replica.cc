#include "paxos/kernel/replica.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace paxos {
namespace {

Slot FirstBase(const Recovered& recovered) {
  return std::max(recovered.applied, Previous(recovered.truncated_before));
}

}  // namespace

const char* RoleName(Role role) {
  static constexpr const char* kNames[] = {"follower", "canvassing", "preparing", "recovering",
                                           "leading",  "abdicating", "removed"};
  return kNames[static_cast<size_t>(role)];
}

Replica::Replica(ReplicaOptions options, Recovered recovered, uint64_t seed)
    : options_(options),
      random_(seed),
      outbox_(options.self),
      window_(FirstBase(recovered), recovered.applied_timestamp),
      acceptor_(&options_, std::move(recovered.hard_state), &window_, &outbox_, &counts_),
      installed_(recovered.installed && recovered.applied == FirstBase(recovered)),
      round_high_(hard_state().promised.round),
      handed_out_(window_.base()),
      noted_chosen_(window_.base()) {
  CHECK(hard_state().self == options_.self);
  for (AcceptedEntry& accepted : recovered.accepted) {
    if (accepted.slot > window_.base()) window_.Accept(std::move(accepted));
  }
  if (recovered.installed && recovered.configuration_slot > hard_state().configuration_slot) {
    acceptor_.AdoptConfiguration(recovered.configuration, recovered.configuration_slot);
  }
}

// --- Time ---

void Replica::Tick(const Moment& moment) {
  wake_ = MonotonicTime::Max();
  if (role_ == Role::kRemoved) return;
  if (leadership_ && (!moment.time_safe || !leadership_->votes.Valid(configuration(), moment))) {
    LoseLead();
  }
  if (leadership_) {
    TickLeader(moment);
  } else {
    TickElection(moment);
  }
  TickFetch(moment);
}

Duration Replica::Jitter() { return random_.Uniform(Duration(0), options_.election_jitter); }

bool Replica::Stalled(const Moment& moment) const {
  const std::optional<MonotonicTime> since = outbox_.saving_since();
  return !options_.without.stall && since && moment.monotonic - *since > options_.stall_max;
}

void Replica::Saved(SaveId id, const Moment& moment) {
  outbox_.Saved(id, moment.monotonic);
  DeliverOwn(moment);
}

Ready Replica::TakeReady(const Moment& moment) {
  if (leadership_) SendUnsent(moment);
  DeliverOwn(moment);
  Ready ready;
  ready.messages = outbox_.TakeMessages();
  ready.save = outbox_.TakeSave(hard_state(), moment.monotonic);
  if (installed_) {
    for (; handed_out_ < chosen_through(); handed_out_ = Next(handed_out_)) {
      const AcceptedEntry& accepted = *window_.Find(Next(handed_out_));
      CheckOrder(accepted);
      ready.apply.push_back({accepted.slot, accepted.entry});
    }
  }
  ready.fetch = std::exchange(fetch_, std::nullopt);
  return ready;
}

void Replica::CheckOrder(const AcceptedEntry& accepted) const {
  if (options_.without.monotone || options_.without.ceiling) return;
  const AcceptedEntry* const before = window_.Find(Previous(accepted.slot));
  const Timestamp last = before == nullptr ? window_.base_timestamp() : before->entry.timestamp;
  CHECK(accepted.entry.timestamp > last)
      << "PX-MONOTONE: slot " << accepted.slot << " has " << accepted.entry << ", after " << last;
}

// --- Messages ---

void Replica::DeliverOwn(const Moment& moment) {
  for (std::vector<Message> own = outbox_.TakeOwn(); !own.empty(); own = outbox_.TakeOwn()) {
    for (const Message& message : own) Deliver(message, moment);
  }
}

bool Replica::KnowsSender(const Message& message) {
  if (configuration().Find(message.from) != nullptr) return true;
  // A member of a configuration that is not known here yet.
  if (message.from >= configuration().next_replica()) return true;
  // PX-RECONFIG: ids are never given twice, so whoever is no member and has an old id was removed.
  // If it asks, it is told, by a leader that may tell it; or that it is behind, by the others.
  if (!std::holds_alternative<Canvass>(message.body)) return false;
  if (!MayDismiss()) return true;
  outbox_.Send(message.from, Removed{hard_state().configuration_slot});
  return false;
}

void Replica::Step(const Message& message, const Moment& moment) {
  if (message.to != self() || message.from == self() || message.from == ReplicaId() ||
      role_ == Role::kRemoved || !KnowsSender(message)) {
    ++counts_.messages_dropped;
    return;
  }
  Deliver(message, moment);
}

void Replica::Deliver(const Message& message, const Moment& moment) {
  wake_ = MonotonicTime::Min();
  std::visit([&](const auto& body) { On(message.from, body, moment); }, message.body);
}

void Replica::On(ReplicaId from, const Canvass& canvass, const Moment& moment) {
  acceptor_.Handle(from, canvass, moment);
}

void Replica::On(ReplicaId from, const Prepare& prepare, const Moment& moment) {
  round_high_ = std::max(round_high_, prepare.ballot.round);
  acceptor_.Handle(from, prepare, moment);
  YieldToHigherBallot();
}

void Replica::On(ReplicaId from, const Accept& accept, const Moment& moment) {
  round_high_ = std::max(round_high_, accept.ballot.round);
  if (!acceptor_.Take(from, accept, moment)) return;
  YieldToHigherBallot();
  // Another one leads: an own attempt is over.
  if (candidacy_ && (candidacy_->canvassing || accept.ballot > candidacy_->ballot)) {
    GiveUp(options_.candidacy_max, moment);
  }
  ChosenAdvanced(moment);
  acceptor_.Answer(from, accept, installed_, moment);
  HeardOfChosen(accept.chosen_through, from, moment);
}

void Replica::YieldToHigherBallot() {
  if (leadership_ && hard_state().promised > leadership_->ballot) LoseLead();
}

void Replica::On(ReplicaId, const Release& release, const Moment& moment) {
  acceptor_.Handle(release);
  round_high_ = std::max(round_high_, release.released.ballot.round);
  if (leadership_ || candidacy_) return;
  if (release.successor == self() && MayStand(moment)) {
    StartPrepare(release.released, moment);
  } else if (release.successor != ReplicaId() && release.successor != self()) {
    StandIn(options_.candidacy_max + Jitter(), moment);
  }
}

void Replica::On(ReplicaId, const Removed& removed, const Moment&) {
  // A leader knows a configuration that this replica is not in.
  const Slot known = hard_state().configuration_slot;
  const bool member = configuration().Find(self()) != nullptr;
  if (removed.configuration_slot < known || (removed.configuration_slot == known && member)) return;
  StepDown();
  role_ = Role::kRemoved;
}

// --- What is chosen ---

Timestamp Replica::ChosenTimestamp() const {
  const AcceptedEntry* const last = window_.Find(chosen_through());
  return last == nullptr ? window_.base_timestamp() : last->entry.timestamp;
}

void Replica::ChosenAdvanced(const Moment& moment) {
  if (noted_chosen_ == chosen_through()) return;
  bool reconfigured = false;
  while (noted_chosen_ < chosen_through()) {
    noted_chosen_ = Next(noted_chosen_);
    const Entry& entry = window_.Find(noted_chosen_)->entry;
    if (entry.kind == EntryKind::kConfiguration) {
      AdoptConfiguration(*entry.configuration, noted_chosen_);
      reconfigured = true;
    }
  }
  if (behind_since_) behind_since_ = moment.monotonic;
  if (candidacy_ && !configuration().IsVoter(self())) GiveUp(Duration{}, moment);
  if (!leadership_) return;
  leadership_->progress_at = moment.monotonic;
  leadership_->ForgetThrough(chosen_through());
  if (leadership_->reconfiguring && *leadership_->reconfiguring <= chosen_through()) {
    leadership_->reconfiguring.reset();
  }
  const bool recovered = leadership_->opened && chosen_through() >= leadership_->recover_through;
  if (role_ != Role::kRecovering || !recovered) return;
  if (reconfigured) {
    // PX-RECONFIG: what follows was proposed under the new configuration; its members are asked.
    StartPrepare(Released{leadership_->ballot, leadership_->s_max()}, moment);
  } else {
    BeginToLead(moment);
  }
}

void Replica::AdoptConfiguration(const Configuration& next, Slot slot) {
  if (slot <= hard_state().configuration_slot) return;
  const Configuration before = configuration();
  acceptor_.AdoptConfiguration(next, slot);
  if (!leadership_) return;
  for (const Member& member : before.members()) {
    if (next.Find(member.replica) != nullptr) continue;
    leadership_->peers.erase(member.replica);
    if (member.replica != self()) leadership_->leaving.push_back(member.replica);
  }
  if (next.IsVoter(self())) return;
  // It carried out what an earlier leader began. It goes on as an acceptor until it is told.
  TellChosen();
  LoseLead();
}

void Replica::Applied(Slot slot) {
  if (installed_) window_.Pop(slot);
}

void Replica::HeardOfChosen(Slot through, ReplicaId source, const Moment& moment) {
  if (through >= chosen_elsewhere_) {
    chosen_elsewhere_ = through;
    chosen_source_ = source;
  }
  if (chosen_elsewhere_ <= chosen_through()) {
    behind_since_.reset();
  } else if (!behind_since_) {
    behind_since_ = moment.monotonic;
  }
}

void Replica::TickFetch(const Moment& moment) {
  if (chosen_elsewhere_ <= chosen_through()) behind_since_.reset();
  if (fetching_ || (!behind_since_ && installed_)) return;
  const MonotonicTime due =
      behind_since_ ? *behind_since_ + options_.fetch_after : MonotonicTime::Min();
  if (moment.monotonic < due) return WakeBy(due);
  fetching_ = true;
  fetch_ = Fetch{.from = Next(chosen_through()), .source = chosen_source_};
}

void Replica::Learn(std::vector<AcceptedEntry> chosen, const Moment& moment) {
  for (AcceptedEntry& entry : chosen) {
    if (entry.slot <= chosen_through()) continue;
    // How far it is from what is applied counts: slots between may have been accepted long ago.
    const bool room = entry.slot.value() <= window_.base().value() + 2 * options_.open_slots_max;
    if (entry.slot != Next(chosen_through()) || !room) break;
    // What this acceptor accepted in a higher ballot stays so, or phase 1 might prefer another's.
    const AcceptedEntry* const old = window_.Find(entry.slot);
    if (old != nullptr) entry.ballot = std::max(entry.ballot, old->ballot);
    acceptor_.Follow(entry.ballot);
    window_.Accept(entry);
    window_.MarkChosen(entry.slot);
    outbox_.SaveEntry(std::move(entry));
  }
  YieldToHigherBallot();
  ChosenAdvanced(moment);
  wake_ = MonotonicTime::Min();
}

void Replica::Installed(Slot slot, Timestamp timestamp, const Configuration& configuration,
                        Slot configuration_slot, const Moment& moment) {
  CHECK(slot >= window_.base()) << "a snapshot of slot " << slot << " at " << window_.base();
  if (slot > chosen_through()) {
    // Whoever leads, or asks, does not know what it jumps over.
    if (candidacy_) GiveUp(Jitter(), moment);
    if (leadership_) LoseLead();
  }
  window_.Reset(slot, timestamp);
  installed_ = true;
  handed_out_ = slot;
  noted_chosen_ = std::max(noted_chosen_, slot);
  AdoptConfiguration(configuration, configuration_slot);
  ChosenAdvanced(moment);
  wake_ = MonotonicTime::Min();
}

void Replica::Uninstalled(const Moment& moment) {
  installed_ = false;
  handed_out_ = window_.base();
  if (candidacy_) GiveUp(Duration{}, moment);
  if (leadership_) LoseLead();
  wake_ = MonotonicTime::Min();
}

// --- What is known ---

std::optional<Ballot> Replica::leading_ballot() const {
  if (role_ != Role::kLeading && role_ != Role::kAbdicating) return std::nullopt;
  return leadership_->ballot;
}

Timestamp Replica::lease_end() const {
  return leadership_ ? leadership_->votes.End(configuration()) : Timestamp::Min();
}

Timestamp Replica::last_timestamp() const {
  return leadership_ ? leadership_->last_timestamp : Timestamp::Min();
}

const Peer* Replica::FindPeer(ReplicaId replica) const {
  if (!leadership_) return nullptr;
  const auto peer = leadership_->peers.find(replica);
  return peer == leadership_->peers.end() ? nullptr : &peer->second;
}

}  // namespace paxos
