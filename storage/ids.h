// The names of what is stored: which group, and where in its log.
#ifndef STORAGE_IDS_H_
#define STORAGE_IDS_H_

#include <cstdint>

#include "runtime/strong_id.h"

namespace storage {

// A Paxos group: the replicas of one shard. 0 is none.
using GroupId = runtime::StrongId<struct GroupIdTag, uint64_t>;

// A position in a group's log. The first is 1; 0 stands before all.
using Slot = runtime::StrongId<struct SlotTag, uint64_t>;

constexpr Slot Next(Slot slot) { return Slot(slot.value() + 1); }
constexpr Slot Previous(Slot slot) { return Slot(slot.value() - 1); }

}  // namespace storage

#endif  // STORAGE_IDS_H_
