#include "paxos/kernel/candidacy.h"

#include <algorithm>

namespace paxos {
namespace {

// Whether `entry` can stand in `slot` between those of `kept`: every slot between two has a
// timestamp of its own.
bool Fits(const std::map<Slot, const AcceptedEntry*>& kept, Slot slot, Timestamp timestamp,
          Slot base, Timestamp base_timestamp) {
  const auto room = [](Slot low, Timestamp low_at, Slot high, Timestamp high_at) {
    return high_at > low_at &&
           static_cast<uint64_t>((high_at - low_at).count()) >= high.value() - low.value();
  };
  const auto after = kept.lower_bound(slot);
  if (after != kept.end() && !room(slot, timestamp, after->first, after->second->entry.timestamp)) {
    return false;
  }
  if (after == kept.begin()) return room(base, base_timestamp, slot, timestamp);
  const auto before = std::prev(after);
  return room(before->first, before->second->entry.timestamp, slot, timestamp);
}

}  // namespace

void Candidacy::Take(ReplicaId from, const Promise& promise) {
  promised.insert(from);
  ceiling = std::max(ceiling, promise.ceiling);
  for (const AcceptedEntry& accepted : promise.accepted) {
    const auto [place, added] = reported.try_emplace(accepted.slot, accepted);
    if (!added && place->second.ballot < accepted.ballot) place->second = accepted;
  }
}

std::vector<Entry> Reproposals(const std::map<Slot, AcceptedEntry>& reported, Slot base,
                               Timestamp base_timestamp) {
  // Values of the highest ballots first; see the header for why what does not fit was not chosen.
  std::vector<const AcceptedEntry*> by_ballot;
  for (const auto& [slot, accepted] : reported) {
    if (slot > base) by_ballot.push_back(&accepted);
  }
  std::sort(by_ballot.begin(), by_ballot.end(), [](const auto* a, const auto* b) {
    return a->ballot != b->ballot ? a->ballot > b->ballot : a->slot < b->slot;
  });
  std::map<Slot, const AcceptedEntry*> kept;
  for (const AcceptedEntry* accepted : by_ballot) {
    if (Fits(kept, accepted->slot, accepted->entry.timestamp, base, base_timestamp)) {
      kept.emplace(accepted->slot, accepted);
    }
  }

  std::vector<Entry> entries;
  Slot next = Next(base);
  for (const auto& [slot, accepted] : kept) {
    // A gap is filled from above: what once stood there was above all that was promised before it,
    // and these timestamps are not below those.
    for (; next < slot; next = Next(next)) {
      const Duration below(static_cast<int64_t>(slot.value() - next.value()));
      entries.push_back({.kind = EntryKind::kNoOp,
                         .timestamp = accepted->entry.timestamp - below,
                         .command = nullptr,
                         .configuration = nullptr});
    }
    entries.push_back(accepted->entry);
    next = Next(slot);
    if (accepted->entry.kind == EntryKind::kConfiguration) break;
  }
  return entries;
}

}  // namespace paxos
