// How a replica comes to lead: canvass, phase 1 with lease votes, and what was left open by those
// before it.
#include <algorithm>
#include <utility>

#include "paxos/kernel/replica.h"
#include "runtime/check.h"

namespace paxos {

bool Replica::MayStand(const Moment& moment) const {
  return installed_ && moment.time_safe && role_ == Role::kFollower && !Stalled(moment) &&
         configuration().IsVoter(self());
}

void Replica::StandIn(Duration wait, const Moment& moment) {
  stand_at_ = moment.monotonic + wait;
  WakeBy(*stand_at_);
}

void Replica::TickElection(const Moment& moment) {
  if (candidacy_) {
    const MonotonicTime end = candidacy_->since + options_.candidacy_max;
    if (moment.monotonic >= end) return GiveUp(Jitter(), moment);
    if (moment.monotonic >= candidacy_->ask_again_at) Ask(moment);
    if (candidacy_) WakeBy(std::min(end, candidacy_->ask_again_at));
    return;
  }
  if (!acceptor_.FreeFor(self(), moment)) {
    stand_at_.reset();
    // Its time is over when it is held no more, but a clock in doubt cannot tell when that will be.
    return WakeBy(moment.monotonic +
                  (moment.time_safe ? acceptor_.HeldFor(moment) : options_.retransmit_after));
  }
  if (!MayStand(moment)) {
    stand_at_.reset();
    if (!configuration().IsVoter(self())) AskWhetherMember(moment);
    return WakeBy(moment.monotonic + options_.retransmit_after);
  }
  if (!stand_at_) {
    // Who is preferred stands before the others.
    const bool yields = preferred_ != ReplicaId() && preferred_ != self();
    return StandIn(Jitter() + (yields ? options_.election_jitter : Duration{}), moment);
  }
  if (moment.monotonic < *stand_at_) return WakeBy(*stand_at_);
  StartCanvass(moment);
}

void Replica::AskWhetherMember(const Moment& moment) {
  // Nobody leads it, as far as it knows, and it is not for it to stand: perhaps it was removed.
  if (moment.monotonic < ask_member_at_) return;
  ask_member_at_ = moment.monotonic + options_.renew_every;
  for (const Member& member : configuration().members()) {
    if (member.replica == self()) continue;
    outbox_.Send(member.replica, Canvass{{round_high_ + 1, self()}, chosen_through()});
  }
}

void Replica::StartCanvass(const Moment& moment) {
  stand_at_.reset();
  role_ = Role::kCanvassing;
  candidacy_.emplace();
  candidacy_->ballot = {round_high_ + 1, self()};
  candidacy_->since = moment.monotonic;
  candidacy_->canvassed.insert(self());
  if (configuration().HasMajority(candidacy_->canvassed)) return StartPrepare({}, moment);
  Ask(moment);
}

void Replica::On(ReplicaId from, const Canvassed& canvassed, const Moment& moment) {
  if (role_ != Role::kCanvassing || canvassed.ballot != candidacy_->ballot) return;
  candidacy_->canvassed.insert(from);
  if (!configuration().HasMajority(candidacy_->canvassed)) return;
  if (!acceptor_.FreeFor(self(), moment)) return GiveUp(acceptor_.HeldFor(moment), moment);
  StartPrepare({}, moment);
}

void Replica::StartPrepare(std::optional<Released> released, const Moment& moment) {
  leadership_.reset();
  stand_at_.reset();
  role_ = Role::kPreparing;
  candidacy_.emplace();
  candidacy_->ballot = {++round_high_, self()};
  candidacy_->since = moment.monotonic;
  candidacy_->canvassing = false;
  candidacy_->released = released;
  candidacy_->chosen_through = chosen_through();
  Ask(moment);
}

void Replica::Ask(const Moment& moment) {
  Candidacy& candidacy = *candidacy_;
  candidacy.ask_again_at = moment.monotonic + options_.retransmit_after;
  WakeBy(candidacy.ask_again_at);
  if (candidacy.canvassing) {
    for (const Member& member : configuration().members()) {
      if (!member.voter || candidacy.canvassed.contains(member.replica)) continue;
      outbox_.Send(member.replica, Canvass{candidacy.ballot, chosen_through()});
    }
    return;
  }
  const Prepare prepare{.ballot = candidacy.ballot,
                        .chosen_through = candidacy.chosen_through,
                        .vote = {moment.now.earliest + options_.lease, options_.lease},
                        .released = candidacy.released};
  if (!candidacy.promised.contains(self())) acceptor_.Handle(self(), prepare, moment);
  // Its own acceptor may have refused: the vote went to somebody else.
  if (hard_state().promised != candidacy.ballot) return GiveUp(Jitter(), moment);
  for (const Member& member : configuration().members()) {
    if (!member.voter || member.replica == self() || candidacy.promised.contains(member.replica)) {
      continue;
    }
    // A ballot is used once, also across a restart: so it is remembered before it is used (Paxos
    // Made Simple, 2.5).
    outbox_.SendWhenSaved(member.replica, prepare);
  }
}

void Replica::On(ReplicaId from, const Promise& promise, const Moment& moment) {
  if (role_ != Role::kPreparing || promise.ballot != candidacy_->ballot) return;
  candidacy_->Take(from, promise);
  if (promise.vote_expiry) {
    // PX-LEASE: the vote is good from when it was asked for, not from when it came.
    candidacy_->votes.Count(
        from, options_.without.lease ? moment.now.latest + options_.lease : *promise.vote_expiry);
  }
  if (configuration().HasMajority(candidacy_->promised) &&
      candidacy_->votes.Valid(configuration(), moment)) {
    WonPromises(moment);
  }
}

void Replica::WonPromises(const Moment& moment) {
  const Candidacy won = std::move(*std::exchange(candidacy_, std::nullopt));
  // PX-MONOTONE: above the start of the lease, all that was recovered, and (PX-CEILING) all that
  // an earlier leader may have assigned or promised.
  Timestamp floor = moment.now.latest;
  if (!options_.without.monotone) {
    floor = std::max(floor, ChosenTimestamp());
    for (const auto& [slot, accepted] : won.reported) {
      floor = std::max(floor, accepted.entry.timestamp);
    }
    if (!options_.without.ceiling) floor = std::max(floor, won.ceiling);
    if (won.released) floor = std::max(floor, won.released->ceiling);
  }
  leadership_.emplace(won.ballot, won.votes, chosen_through(), floor);
  leadership_->progress_at = moment.monotonic;
  role_ = Role::kRecovering;
  // PX-ONE-VALUE: what may be chosen already is proposed again, and gaps are filled.
  leadership_->unsent = Reproposals(won.reported, chosen_through(), ChosenTimestamp());
  for (const Entry& entry : leadership_->unsent) {
    ++(entry.kind == EntryKind::kNoOp ? counts_.no_ops : counts_.reproposed);
    leadership_->unsent_bytes += entry.bytes();
  }
  leadership_->recover_through = Previous(leadership_->next());
  leadership_->opened =
      !leadership_->unsent.empty() && leadership_->unsent.back().kind == EntryKind::kConfiguration;
  Open();
  wake_ = MonotonicTime::Min();
}

void Replica::BeginToLead(const Moment&) {
  ++counts_.elections_won;
  role_ = Role::kLeading;
  wake_ = MonotonicTime::Min();
}

void Replica::On(ReplicaId from, const Refuse& refuse, const Moment& moment) {
  round_high_ = std::max(round_high_, refuse.promised.round);
  if (leadership_ && refuse.ballot == leadership_->ballot &&
      refuse.reason == RefuseReason::kBallot && refuse.promised > leadership_->ballot) {
    // Somebody promised a ballot that came to nothing. As long as the votes are here, a higher one
    // brings that acceptor back.
    return StartPrepare(Released{leadership_->ballot, leadership_->s_max()}, moment);
  }
  HeardOfChosen(refuse.chosen_through, from, moment);
  if (!candidacy_ || refuse.ballot != candidacy_->ballot) return;
  switch (refuse.reason) {
    case RefuseReason::kBallot:
      return GiveUp(Jitter(), moment);
    case RefuseReason::kBehind:
      // What it lacks is fetched meanwhile. But the others may be a majority, and whoever refused
      // may have lost its state and be no teacher.
      candidacy_->behind.insert(from);
      if (CanWin()) return;
      return GiveUp(options_.fetch_after + Jitter(), moment);
    case RefuseReason::kHeld:
      // Perhaps the others are enough. If not, it is asked again when its vote is free.
      candidacy_->ask_again_at =
          std::min(candidacy_->ask_again_at, moment.monotonic + refuse.held_for);
      return WakeBy(candidacy_->ask_again_at);
    case RefuseReason::kClock:
      return;
  }
}

bool Replica::CanWin() const {
  std::set<ReplicaId> rest;
  for (const Member& member : configuration().members()) {
    if (!candidacy_->behind.contains(member.replica)) rest.insert(member.replica);
  }
  return configuration().HasMajority(rest);
}

void Replica::GiveUp(Duration backoff, const Moment& moment) {
  CHECK(candidacy_.has_value());
  ++counts_.elections_lost;
  if (!candidacy_->canvassing) {
    // The votes that it got are of no use: who else stands may have them. Nothing was assigned
    // under this ballot, but perhaps under the one that it was to replace.
    Release release{.released = {candidacy_->ballot, Timestamp::Min()}, .successor = ReplicaId()};
    if (candidacy_->released) release.released.ceiling = candidacy_->released->ceiling;
    acceptor_.Handle(release);
    for (const Member& member : configuration().members()) {
      // Behind the Prepares, which may still wait for the disk.
      if (member.voter && member.replica != self()) outbox_.SendWhenSaved(member.replica, release);
    }
  }
  candidacy_.reset();
  role_ = Role::kFollower;
  StandIn(backoff, moment);
  wake_ = MonotonicTime::Min();
}

void Replica::StepDown() {
  candidacy_.reset();
  leadership_.reset();
  stand_at_.reset();
  role_ = Role::kFollower;
  wake_ = MonotonicTime::Min();
}

}  // namespace paxos
