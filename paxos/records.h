// The driver's records on disk: a group's metadata in the log store, an entry of its log, and how
// far it has applied.
//
// Decoding is for bytes from a disk or another node: whatever is wrong with them is DATA_LOSS, and
// what is taken is whole and makes sense by itself.
#ifndef PAXOS_RECORDS_H_
#define PAXOS_RECORDS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "paxos/kernel/entry.h"
#include "paxos/kernel/hard_state.h"
#include "storage/key_range.h"

namespace paxos {

// The largest command.
inline constexpr size_t kCommandBytesMax = 4 << 20;

// A group's metadata in the log.
struct GroupMeta {
  HardState hard_state;
  // The configuration of a group that began empty, with this replica in it: then slot 0 is a state
  // that needs no snapshot.
  std::shared_ptr<const Configuration> founding;
};

// Written by each batch that is applied; travels with snapshots.
struct AppliedState {
  Slot slot;
  Timestamp timestamp = Timestamp::Min();
  // In force after `slot`, and where it was chosen.
  Configuration configuration;
  Slot configuration_slot;
  storage::KeyRange range;

  friend bool operator==(const AppliedState&, const AppliedState&) = default;
};

// `founding` may be null.
std::string EncodeGroupMeta(const HardState& hard_state, const Configuration* founding);
absl::StatusOr<GroupMeta> DecodeGroupMeta(absl::string_view bytes);

// The slot stands beside it in the log.
std::string EncodeLogEntry(const AcceptedEntry& accepted);
absl::StatusOr<AcceptedEntry> DecodeLogEntry(Slot slot, absl::string_view bytes);

std::string EncodeAppliedState(const AppliedState& state);
absl::StatusOr<AppliedState> DecodeAppliedState(absl::string_view bytes);

}  // namespace paxos

#endif  // PAXOS_RECORDS_H_
