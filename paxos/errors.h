// The errors of this floor: one function each, which says who may try what again.
//
//   if (const absl::Status done = ...; RetryOf(done) == Retry::kElsewhere) node = LeaderOf(done);
//
// Code that retries switches on Retry and nothing else. What stands in a status for it is lost when
// the status crosses the network; what answers calls from other nodes translates it.
#ifndef PAXOS_ERRORS_H_
#define PAXOS_ERRORS_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "paxos/kernel/entry.h"
#include "runtime/strong_id.h"
#include "storage/ids.h"

namespace paxos {

enum class Retry : uint8_t {
  kNever,      // It would fail again.
  kHere,       // Nothing was done; the same later, here.
  kElsewhere,  // Nothing was done; at the node of LeaderOf(), or at any other member if none is known.
  kUnknown,  // It may have been done, or may still be. Only who can find out may repeat it.
};

// kNever for a status that is not of this floor.
Retry RetryOf(const absl::Status& status);
// The node that may lead the group, if that is known.
std::optional<runtime::NodeId> LeaderOf(const absl::Status& status);

// FAILED_PRECONDITION, kElsewhere. This replica does not lead; `leader` may.
absl::Status NotLeader(storage::GroupId group, std::optional<runtime::NodeId> leader);
// FAILED_PRECONDITION, kElsewhere. There is no replica of the group here (any more).
absl::Status NoSuchGroup(storage::GroupId group);
// RESOURCE_EXHAUSTED, kHere. More would wait than may.
absl::Status Overloaded(storage::GroupId group);
// UNAVAILABLE, kHere. The lease or the clock does not allow it now.
absl::Status NotNow(storage::GroupId group, absl::string_view why);
// As `why`: RESOURCE_EXHAUSTED or UNAVAILABLE, kHere: the disk takes nothing now; or DATA_LOSS,
// kElsewhere: it lost what this node must not forget.
absl::Status DiskTrouble(const absl::Status& why);
// UNKNOWN, kUnknown. What was proposed in `slot` may be chosen, or not.
absl::Status OutcomeUnknown(storage::GroupId group, Slot slot, absl::string_view why);
// INVALID_ARGUMENT, kNever. No such change of the members can be made.
absl::Status BadChange(storage::GroupId group, absl::string_view why);

}  // namespace paxos

#endif  // PAXOS_ERRORS_H_
