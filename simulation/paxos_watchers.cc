#include "simulation/paxos_watchers.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

namespace simulation {

using paxos::Replica;
using storage::GroupId;
using storage::Slot;

PaxosWatchers::PaxosWatchers(simulated::Universe* universe, PaxosTruth* truth, bool clocks_lie)
    : universe_(*universe), truth_(*truth), clocks_lie_(clocks_lie) {
  universe_.AddWatcher([this] { Watch(); });
}

void PaxosWatchers::Watch() {
  for (auto& [group, leaders] : leaders_) leaders.clear();
  for (const auto& [id, world] : universe_.nodes()) {
    PaxosNode* const node = FindPaxosNode(*world);
    if (node == nullptr || node->host() == nullptr) continue;
    for (const auto& [group, founding] : truth_.beginning.groups) {
      const std::shared_ptr<paxos::Group> here = node->host()->FindGroup(group);
      if (here != nullptr && !here->ended()) WatchReplica(node, world.get(), *here);
    }
  }
  for (const auto& [group, leaders] : leaders_) {
    if (leaders.size() > 1) CheckDisjoint(group);
  }
}

void PaxosWatchers::WatchReplica(PaxosNode* node, simulated::NodeWorld* world,
                                 const paxos::Group& group) {
  const Replica& replica = group.replica();
  Seen& seen = seen_[{group.id(), world->node()}];
  if (seen.incarnation != world->incarnation() || seen.host != node->hosts() ||
      seen.self != replica.self()) {
    // What it had in memory may be gone; what it must still know is SentMessages' to say.
    seen = {.incarnation = world->incarnation(), .host = node->hosts(), .self = replica.self()};
  }
  if (replica.hard_state().promised < seen.promised) {
    universe_.Fail(
        absl::StrCat("PX-DURABLE: node ", world->node().value(), " takes a promise back"));
  }
  seen.promised = replica.hard_state().promised;
  WatchChosen(replica, group.id(), &seen);
  WatchLead(replica, group.id(), &seen);
  // A machine that is suspended reads no clock.
  if (seen.leading && !world->clock().suspended())
    leaders_[group.id()].emplace_back(node, &replica);
  const runtime::Timestamp safe = group.PaxosSafeTime();
  if (safe == seen.safe_time) return;
  seen.safe_time = safe;
  truth_.group(group.id())
      .Promised(absl::StrCat("node ", world->node().value()), group.applied(), safe);
}

void PaxosWatchers::WatchChosen(const Replica& replica, GroupId group, Seen* seen) {
  if (replica.chosen_through() == seen->chosen_through) return;
  const paxos::LogWindow& window = replica.window();
  for (Slot slot = Next(std::max(seen->chosen_through, window.base()));
       slot <= replica.chosen_through(); slot = Next(slot)) {
    truth_.group(group).Chosen(slot, window.Find(slot)->entry);
  }
  seen->chosen_through = replica.chosen_through();
}

void PaxosWatchers::WatchLead(const Replica& replica, GroupId group, Seen* seen) {
  const std::optional<paxos::Ballot> leading = replica.leading_ballot();
  if (leading != seen->leading) {
    if (seen->leading) led_[group][replica.self()].abdicated = seen->abdicating;
    if (leading) CheckBegin(group, *leading);
    seen->leading = leading;
    seen->last = replica.window().last();
  }
  if (!leading) return;
  seen->abdicating = replica.role() == paxos::Role::kAbdicating;
  led_[group][replica.self()] = {*leading, replica.last_timestamp(), false};
  for (; seen->last < replica.window().last(); seen->last = Next(seen->last)) {
    const paxos::AcceptedEntry* const entry = replica.window().Find(Next(seen->last));
    if (entry == nullptr || entry->ballot != *leading ||
        entry->entry.timestamp < replica.lease_end()) {
      continue;
    }
    universe_.Fail(absl::StrCat("PX-WITHIN-LEASE: replica ", replica.self().value(), " of group ",
                                group.value(), " gave slot ", entry->slot.value(), " a timestamp ",
                                (entry->entry.timestamp - replica.lease_end()).count(),
                                " ns past the end of its lease"));
  }
}

void PaxosWatchers::CheckBegin(GroupId group, paxos::Ballot ballot) {
  ++leaderships_;
  if (clocks_lie_) return;
  for (const auto& [replica, led] : led_[group]) {
    // Its own last timestamp is no news to a leader that goes on under a higher ballot.
    if (!led.abdicated || replica == ballot.replica) continue;
    if (led.last_timestamp < universe_.true_time()) continue;
    universe_.Fail(absl::StrCat("PX-ABDICATE: replica ", ballot.replica.value(), " of group ",
                                group.value(), " begins to lead ",
                                (led.last_timestamp - universe_.true_time()).count(),
                                " ns before the last timestamp of replica ", replica.value(),
                                ", which handed over, has passed"));
  }
}

void PaxosWatchers::CheckDisjoint(GroupId group) {
  if (clocks_lie_) return;
  const Replica* leads = nullptr;
  for (const auto& [node, replica] : leaders_[group]) {
    if (!replica->leads(node->Now())) continue;
    if (leads != nullptr) {
      universe_.Fail(absl::StrCat("PX-DISJOINT: replicas ", leads->self().value(), " and ",
                                  replica->self().value(), " of group ", group.value(),
                                  " both lead"));
    }
    leads = replica;
  }
}

}  // namespace simulation
