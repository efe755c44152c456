// ShardContext: what the parts of a node's shards share. Owned by the ShardServer, which outlives
// them.
#ifndef TXN_SHARD_CONTEXT_H_
#define TXN_SHARD_CONTEXT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "paxos/group.h"
#include "runtime/world.h"
#include "truetime/truetime.h"
#include "txn/group_caller.h"
#include "txn/refusal.h"
#include "txn/shard_options.h"

namespace txn {

// Whoever waits holds its group by this.
using GroupPtr = std::shared_ptr<paxos::Group>;

struct ShardContext {
  runtime::World& world;
  truetime::TrueTime& truetime;
  GroupCaller& caller;
  const ShardServerOptions& options;

  // TX-COMMIT-TS: at or above it is above all that has been acknowledged. Refused as kNotNow while
  // the clock cannot be trusted.
  absl::StatusOr<runtime::Timestamp> NowLatest() const {
    const runtime::Timestamp latest = truetime.Now().latest;
    if (const absl::Status safe = truetime.CheckSafe(); !safe.ok()) {
      return Refuse(Refusal::Kind::kNotNow, safe.message());
    }
    return latest;
  }
};

inline ShardMachine& MachineOf(const GroupPtr& group) {
  return static_cast<ShardMachine&>(group->state_machine());
}

// What became of a proposal whose wait ended well.
inline absl::StatusOr<CommandResult> ResultOf(const GroupPtr& group, storage::Slot slot) {
  std::optional<CommandResult> result = MachineOf(group).ResultOf(slot);
  if (result) return *std::move(result);
  return Refuse(Refusal::Kind::kUnknown, "it was applied unseen");
}

}  // namespace txn

#endif  // TXN_SHARD_CONTEXT_H_
