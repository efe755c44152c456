#include "tests/paxos/kernel/watchers.h"

#include <algorithm>
#include <sstream>

namespace paxos {

template <typename... Parts>
void KernelWatchers::Violated(const Parts&... parts) {
  if (!violation_.empty()) return;
  std::ostringstream text;
  (text << ... << parts);
  violation_ = text.str();
}

const Entry* KernelWatchers::ChosenIn(Slot slot) const {
  if (slot == Slot() || slot.value() > chosen_.size()) return nullptr;
  return &chosen_[slot.value() - 1];
}

// --- What is chosen ---

void KernelWatchers::Saved(ReplicaId replica, const Save& save) {
  for (const AcceptedEntry& accepted : save.entries) Accepted(replica, accepted);
  FindChosen();
}

void KernelWatchers::Accepted(ReplicaId replica, const AcceptedEntry& accepted) {
  const auto [place, added] =
      accepts_.try_emplace({accepted.slot, accepted.ballot}, Accepts{accepted.entry, {}});
  Accepts& accepts = place->second;
  if (!(accepts.entry == accepted.entry)) {
    Violated("PX-ONE-VALUE: ballot ", accepted.ballot, " has ", accepts.entry, " in slot ",
             accepted.slot, ", and at replica ", replica, ' ', accepted.entry);
  }
  accepts.by.insert(replica);
  const Entry* const chosen = ChosenIn(accepted.slot);
  if (chosen == nullptr || *chosen == accepted.entry) return;
  const Configuration& members = std::prev(configurations_.lower_bound(accepted.slot))->second;
  if (members.HasMajority(accepts.by)) {
    Violated("PX-ONE-VALUE: in slot ", accepted.slot, ' ', *chosen, " is chosen, and in ballot ",
             accepted.ballot, ' ', accepted.entry);
  }
}

void KernelWatchers::FindChosen() {
  for (bool found = true; found;) {
    found = false;
    const Slot slot(chosen_.size() + 1);
    // In force here, since all slots before are chosen.
    const Configuration& members = configuration();
    for (auto accepts = accepts_.lower_bound({slot, Ballot{}});
         accepts != accepts_.end() && accepts->first.first == slot; ++accepts) {
      if (!members.HasMajority(accepts->second.by)) continue;
      if (!found) {
        Append(accepts->second.entry);
        found = true;
      } else if (!(accepts->second.entry == chosen_.back())) {
        Violated("PX-ONE-VALUE: in slot ", slot, ' ', chosen_.back(), " and ",
                 accepts->second.entry, " are chosen");
      }
      // The loop's `members` may have changed with it: the other ballots wait for Accepted().
      if (chosen_.back().kind == EntryKind::kConfiguration) break;
    }
  }
}

void KernelWatchers::Append(const Entry& entry) {
  const Slot slot(chosen_.size() + 1);
  if (!chosen_.empty() && entry.timestamp <= chosen_.back().timestamp) {
    Violated("PX-MONOTONE: slot ", slot, " has ", entry, ", after ", chosen_.back());
  }
  while (!promises_.empty() && promises_.begin()->first < slot) {
    floor_ = std::max(floor_, promises_.begin()->second);
    promises_.erase(promises_.begin());
  }
  if (entry.timestamp <= floor_) {
    Violated("MinNextTS: slot ", slot, " has ", entry, ", and ", floor_, " was promised before it");
  }
  chosen_.push_back(entry);
  if (entry.kind == EntryKind::kConfiguration) configurations_.emplace(slot, *entry.configuration);
}

void KernelWatchers::Applied(ReplicaId replica, const Chosen& chosen) {
  const Entry* const entry = ChosenIn(chosen.slot);
  if (entry == nullptr) {
    Violated("PX-DURABLE: replica ", replica, " applies slot ", chosen.slot, ", not chosen yet");
  } else if (!(*entry == chosen.entry)) {
    Violated("PX-ONE-VALUE: replica ", replica, " applies ", chosen.entry, " in slot ", chosen.slot,
             ", where ", *entry, " is chosen");
  }
}

void KernelWatchers::Look(const KernelNode& node) {
  const Replica& replica = node.replica();
  Slot& believed = believed_.try_emplace(node.id(), replica.applied()).first->second;
  believed = std::max(believed, replica.applied());
  while (believed < replica.chosen_through()) {
    believed = Next(believed);
    const Entry& entry = replica.window().Find(believed)->entry;
    const Entry* const chosen = ChosenIn(believed);
    if (chosen == nullptr) {
      Violated("PX-DURABLE: replica ", node.id(), " takes ", entry, " in slot ", believed,
               " for chosen, which no majority has on disk");
    } else if (!(*chosen == entry)) {
      Violated("PX-ONE-VALUE: replica ", node.id(), " takes ", entry, " in slot ", believed,
               " for chosen, and it is ", *chosen);
    }
  }
}

// --- Timestamps ---

void KernelWatchers::Assigned(const Replica& leader, const Proposed& proposed, Timestamp now) {
  Stamps& stamps = stamps_[proposed.ballot];
  if (proposed.timestamp <= stamps.highest) {
    Violated("PX-MONOTONE: ballot ", proposed.ballot, " assigns ", proposed.timestamp, " after ",
             stamps.highest);
  }
  stamps.lowest_assigned = std::min(stamps.lowest_assigned, proposed.timestamp);
  stamps.next_after = std::max(stamps.next_after, proposed.slot);
  Pinned(leader, proposed.timestamp, now);
}

void KernelWatchers::Pinned(const Replica& leader, Timestamp timestamp, Timestamp now) {
  const Ballot ballot = *leader.leading_ballot();
  if (timestamp >= leader.lease_end()) {
    Violated("PX-WITHIN-LEASE: ", timestamp, " in ballot ", ballot, ", whose lease ends at ",
             leader.lease_end());
  }
  if (honest_ && now >= leader.lease_end()) {
    Violated("PX-LEASE: ballot ", ballot, " assigns at ", now, ", after its lease");
  }
  Stamps& stamps = stamps_[ballot];
  stamps.highest = std::max(stamps.highest, timestamp);
  if (stamps.next_after != Slot()) Promised(ballot, stamps.next_after, timestamp);
  CheckStamps(ballot);
}

void KernelWatchers::Guarded(const Replica& leader, Timestamp timestamp) {
  const Ballot ballot = *leader.leading_ballot();
  Stamps& stamps = stamps_[ballot];
  stamps.guarded = std::max(stamps.guarded, timestamp);
  CheckStamps(ballot);
}

void KernelWatchers::TakesForSafe(const Replica& leader) {
  const Timestamp safe = leader.LeaderSafeTime(leader.applied());
  if (safe != Timestamp::Min()) NothingBelow(*leader.leading_ballot(), leader.applied(), safe);
}

void KernelWatchers::Promised(Ballot ballot, Slot slot, Timestamp timestamp) {
  Stamps& stamps = stamps_[ballot];
  stamps.highest = std::max(stamps.highest, timestamp);
  stamps.next_after = std::max(stamps.next_after, slot);
  CheckStamps(ballot);
  NothingBelow(ballot, slot, timestamp);
}

void KernelWatchers::NothingBelow(Ballot ballot, Slot slot, Timestamp timestamp) {
  const Entry* const next = ChosenIn(Next(slot));
  if (next == nullptr) {
    Timestamp& promised = promises_.try_emplace(slot, Timestamp::Min()).first->second;
    promised = std::max(promised, timestamp);
  } else if (next->timestamp <= timestamp) {
    Violated("MinNextTS: ballot ", ballot, " promises ", timestamp, " after slot ", slot,
             ", and the next one has ", *next);
  }
}

void KernelWatchers::CheckStamps(Ballot ballot) {
  const Stamps& stamps = stamps_[ballot];
  for (const auto& [other, others] : stamps_) {
    const auto reaches = [](const Stamps& one, const Stamps& next) {
      return std::max(one.highest, one.guarded) >= next.lowest_assigned;
    };
    if ((other < ballot && reaches(others, stamps)) ||
        (other > ballot && reaches(stamps, others))) {
      Violated("PX-CEILING: ballots ", other, " and ", ballot, " have timestamps up to ",
               others.highest, " and ", stamps.highest, ", and assign from ",
               others.lowest_assigned, " and ", stamps.lowest_assigned, " on");
    }
  }
}

// --- Leases ---

void KernelWatchers::LeadAtOnce(const std::set<ReplicaId>& leaders, Timestamp now) {
  if (!honest_ || leaders.size() <= 1) return;
  Violated("PX-DISJOINT: replicas ", *leaders.begin(), " and ", *std::next(leaders.begin()),
           " lead at ", now);
}

// --- What is said ---

void KernelWatchers::Sent(const KernelNode& sender, const Message& message, Timestamp now) {
  CheckDurable(sender, message);
  if (const auto* const accept = std::get_if<Accept>(&message.body)) {
    CheckStall(sender, *accept, now);
    if (accept->safe_time) {
      Promised(accept->ballot, accept->safe_time->slot, accept->safe_time->timestamp);
    }
  }
  if (const auto* const release = std::get_if<Release>(&message.body)) {
    const bool handed_over = release->successor != ReplicaId();
    if (honest_ && handed_over && release->released.ceiling >= now) {
      Violated("PX-ABDICATE: ballot ", release->released.ballot, " is released at ", now,
               ", before its ", release->released.ceiling);
    }
  }
}

void KernelWatchers::CheckStall(const KernelNode& sender, const Accept& accept, Timestamp now) {
  const std::optional<MonotonicTime> since = sender.saving_since();
  if (!accept.vote || !since) return;
  if (MonotonicTime(now.nanoseconds()) - *since > sender.options().stall_max) {
    Violated("PX-STALL: replica ", sender.id(), " renews at ", now, ", its disk stalls since ",
             *since);
  }
}

void KernelWatchers::CheckDurable(const KernelNode& sender, const Message& message) {
  const Disk& disk = sender.disk();
  const auto demand = [&](bool durable) {
    if (!durable) Violated("PX-DURABLE: not on the disk of its sender: ", message);
  };
  const auto has = [&](Slot slot, Ballot ballot) {
    const auto logged = disk.log.find(slot);
    return slot < disk.truncated_before || ChosenIn(slot) != nullptr ||
           (logged != disk.log.end() && logged->second.ballot >= ballot);
  };
  const Vote& vote = disk.hard_state.vote;
  if (const auto* const prepare = std::get_if<Prepare>(&message.body)) {
    demand(disk.hard_state.promised >= prepare->ballot);
  } else if (const auto* const promise = std::get_if<Promise>(&message.body)) {
    demand(disk.hard_state.promised >= promise->ballot);
    for (const AcceptedEntry& entry : promise->accepted) demand(has(entry.slot, entry.ballot));
    if (promise->vote_expiry && vote.holder == message.to) {
      demand(vote.expiry >= *promise->vote_expiry || vote.ballot > promise->ballot);
    }
  } else if (const auto* const accepted = std::get_if<struct Accepted>(&message.body)) {
    demand(disk.hard_state.promised >= accepted->ballot);
    for (uint64_t i = 0; i < accepted->count; ++i) {
      demand(has(Slot(accepted->first.value() + i), accepted->ballot));
    }
    if (accepted->vote_expiry && vote.holder == message.to) {
      demand(vote.expiry >= *accepted->vote_expiry || vote.ballot > accepted->ballot);
    }
    const bool holds = accepted->durable_through < disk.truncated_before ||
                       disk.log.contains(accepted->durable_through);
    demand(holds && accepted->durable_through.value() <= chosen_.size());
  }
}

}  // namespace paxos
