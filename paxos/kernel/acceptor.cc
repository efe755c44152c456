#include "paxos/kernel/acceptor.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace paxos {

Acceptor::Acceptor(const ReplicaOptions* options, HardState state, LogWindow* window,
                   Outbox* outbox, ReplicaCounts* counts)
    : options_(*options),
      state_(std::move(state)),
      window_(*window),
      outbox_(*outbox),
      counts_(*counts) {}

bool Acceptor::FreeFor(ReplicaId candidate, const Moment& moment) const {
  if (state_.vote.holder == ReplicaId() || state_.vote.holder == candidate) return true;
  // A clock in doubt cannot tell that a vote has run out.
  return moment.time_safe && moment.now.earliest > state_.vote.held_until;
}

Duration Acceptor::HeldFor(const Moment& moment) const {
  if (state_.vote.holder == ReplicaId() || moment.now.earliest > state_.vote.held_until) return {};
  // Saturates: a clock that has no reading yet says that true time may be anything.
  return (state_.vote.held_until + Duration(1)) - moment.now.earliest;
}

RefuseReason Acceptor::WhyNotFree(const Moment& moment) const {
  return HeldFor(moment) > Duration{} ? RefuseReason::kHeld : RefuseReason::kClock;
}

void Acceptor::RefuseTo(ReplicaId from, Ballot ballot, RefuseReason reason, const Moment& moment) {
  outbox_.Send(from, Refuse{.ballot = ballot,
                            .reason = reason,
                            .promised = state_.promised,
                            .chosen_through = window_.chosen_through(),
                            .held_for = HeldFor(moment)});
}

void Acceptor::Handle(ReplicaId from, const Canvass& canvass, const Moment& moment) {
  if (canvass.ballot <= state_.promised) {
    RefuseTo(from, canvass.ballot, RefuseReason::kBallot, moment);
  } else if (!FreeFor(from, moment)) {
    RefuseTo(from, canvass.ballot, WhyNotFree(moment), moment);
  } else if (window_.chosen_through() > canvass.chosen_through) {
    RefuseTo(from, canvass.ballot, RefuseReason::kBehind, moment);
  } else if (!moment.time_safe) {
    RefuseTo(from, canvass.ballot, RefuseReason::kClock, moment);
  } else {
    outbox_.Send(from, Canvassed{canvass.ballot});
  }
}

void Acceptor::Handle(ReplicaId from, const Prepare& prepare, const Moment& moment) {
  if (prepare.ballot < state_.promised) {
    return RefuseTo(from, prepare.ballot, RefuseReason::kBallot, moment);
  }
  if (prepare.released) GiveBack(*prepare.released);
  // PX-LEASE: a promise would take the lead from whoever holds the vote, so it is refused as well.
  if (!FreeFor(from, moment)) {
    return RefuseTo(from, prepare.ballot, WhyNotFree(moment), moment);
  }
  // The values of those slots are chosen and perhaps not kept any more: the candidate learns them
  // first.
  if (window_.chosen_through() > prepare.chosen_through) {
    return RefuseTo(from, prepare.ballot, RefuseReason::kBehind, moment);
  }
  state_.promised = prepare.ballot;
  outbox_.SaveHardState();
  Promise promise{.ballot = prepare.ballot,
                  .accepted = window_.AcceptedAfter(prepare.chosen_through),
                  .ceiling = CeilingFor(prepare.ballot),
                  .vote_expiry = GiveVote(from, prepare.ballot, prepare.vote, moment)};
  outbox_.SendWhenSaved(from, std::move(promise));  // PX-DURABLE.
}

bool Acceptor::Take(ReplicaId from, const Accept& accept, const Moment& moment) {
  if (accept.ballot < state_.promised) {
    RefuseTo(from, accept.ballot, RefuseReason::kBallot, moment);
    return false;
  }
  const uint64_t end = accept.first.value() + accept.entries.size();
  if (!accept.entries.empty() && end > window_.base().value() + 2 * options_.open_slots_max) {
    // Too far behind to keep it; it comes back as what is chosen.
    ++counts_.messages_dropped;
    return false;
  }
  const bool ordered = options_.without.ceiling || options_.without.monotone || InOrder(accept);
  if (!ordered) {
    ++counts_.order_refused;
    return false;
  }
  Follow(accept.ballot);
  TakeEntries(accept);
  MarkChosen(accept);
  if (accept.safe_time && accept.safe_time->timestamp > safe_time_.timestamp) {
    safe_time_ = *accept.safe_time;
  }
  return true;
}

void Acceptor::Answer(ReplicaId from, const Accept& accept, bool installed, const Moment& moment) {
  if (accept.entries.empty() && !accept.vote) return;
  Accepted accepted{.ballot = accept.ballot,
                    .first = accept.first,
                    .count = accept.entries.size(),
                    .vote_expiry = std::nullopt,
                    .durable_through = installed ? window_.chosen_through() : Slot()};
  if (accept.vote) accepted.vote_expiry = GiveVote(from, accept.ballot, *accept.vote, moment);
  outbox_.SendWhenSaved(from, accepted);  // PX-DURABLE.
}

void Acceptor::Follow(Ballot ballot) {
  if (ballot <= state_.promised) return;
  state_.promised = ballot;
  outbox_.SaveHardState();
}

void Acceptor::AdoptConfiguration(const Configuration& configuration, Slot slot) {
  CHECK(slot > state_.configuration_slot);
  state_.configuration = configuration;
  state_.configuration_slot = slot;
  outbox_.SaveHardState();
}

void Acceptor::GiveBack(const Released& released) {
  Vote& vote = state_.vote;
  if (vote.holder != released.ballot.replica || vote.ballot > released.ballot) return;
  // An earlier ballot of the same replica is over too, but what it assigned is not in `released`.
  state_.ceiling = std::max(CeilingFor(released.ballot), released.ceiling);
  vote = {};
  outbox_.SaveHardState();
}

std::optional<Timestamp> Acceptor::GiveVote(ReplicaId to, Ballot ballot, const VoteRequest& request,
                                            const Moment& moment) {
  if (!moment.time_safe || !FreeFor(to, moment)) return std::nullopt;
  state_.ceiling = CeilingFor(ballot);
  Vote& vote = state_.vote;
  if (vote.holder != to) vote = {};
  if (vote.ballot != ballot) vote.expiry = Timestamp::Min();
  vote.holder = to;
  vote.ballot = ballot;
  // PX-LEASE: TT_at_granting.latest + L, on this clock; the candidate counts from when it asked.
  vote.held_until = std::max(vote.held_until, moment.now.latest + request.length);
  vote.expiry = std::max(vote.expiry, request.expiry);
  outbox_.SaveHardState();
  return request.expiry;
}

Timestamp Acceptor::CeilingFor(Ballot ballot) const {
  // PX-CEILING: what was assigned under an earlier vote lies below where it ended.
  if (state_.vote.ballot == ballot) return state_.ceiling;
  return std::max(state_.ceiling, state_.vote.expiry);
}

bool Acceptor::InOrder(const Accept& accept) const {
  Timestamp before = Timestamp::Min();
  Slot slot = accept.first;
  for (const Entry& entry : accept.entries) {
    const bool promised = slot > safe_time_.slot && entry.timestamp <= safe_time_.timestamp &&
                          !window_.IsChosen(slot);
    if (entry.timestamp <= before || promised) return false;
    before = entry.timestamp;
    slot = Next(slot);
  }
  if (accept.entries.empty()) return true;
  // Between the ends the message is in order by itself.
  const Slot last = Previous(slot);
  const bool low = window_.IsChosen(accept.first) ||
                   window_.InOrder(accept.first, accept.ballot, accept.entries.front().timestamp);
  const bool high = window_.IsChosen(last) ||
                    window_.InOrder(last, accept.ballot, accept.entries.back().timestamp);
  return low && high;
}

void Acceptor::TakeEntries(const Accept& accept) {
  Slot slot = accept.first;
  for (const Entry& entry : accept.entries) {
    const AcceptedEntry* const old = window_.Find(slot);
    const bool applied = slot <= window_.base();
    const bool same = old != nullptr && old->ballot == accept.ballot;
    if (!applied && !same) {
      AcceptedEntry accepted{slot, accept.ballot, entry};
      window_.Accept(accepted);
      outbox_.SaveEntry(std::move(accepted));
    }
    slot = Next(slot);
  }
}

void Acceptor::MarkChosen(const Accept& accept) {
  const Slot end = std::min(accept.chosen_through, window_.last());
  for (Slot slot = Next(window_.chosen_through()); slot <= end; slot = Next(slot)) {
    const AcceptedEntry* const accepted = window_.Find(slot);
    // A leader proposes one value in a slot: if this is of its ballot, it is the chosen one.
    if (accepted != nullptr && accepted->ballot == accept.ballot) window_.MarkChosen(slot);
  }
}

}  // namespace paxos
