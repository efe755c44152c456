// ReplicaReads: reads without locks at one replica of a shard (TX-READ-ONLY, TX-STALE).
//
// Place:       one per node, for all shards here; asked by the gateway of the same node directly, and
//              by others through ShardServer.
// Waiting:     a read at a timestamp that is not safe here yet waits for it, up to its `wait_max`
//              (TX-SAFE-TIME). The leader makes its own timestamp safe by a promise; a follower waits
//              for the leader's next one.
// Errors:      refusal.h.
// Concurrency: one loop.
#ifndef TXN_REPLICA_READS_H_
#define TXN_REPLICA_READS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/strong_id.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/view.h"
#include "txn/read_rows.h"

namespace paxos {
class Group;
class Host;
}  // namespace paxos
namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}

namespace txn {

struct ReplicaRead {
  enum class At : uint8_t {
    kTimestamp,  // `timestamp` exactly.
    kAtLeast,    // The newest that is safe here, not before `timestamp`.
    kNewest,     // At the leader: a timestamp that sees all that was committed before.
  };
  storage::GroupId group;
  At at = At::kTimestamp;
  runtime::Timestamp timestamp = runtime::Timestamp::Min();
  RowsWanted wanted = {};
  runtime::Duration wait_max{};
};

struct ReplicaRows {
  runtime::Timestamp timestamp;  // At which it was read.
  RowsFound found = {};
  runtime::Timestamp safe_time = runtime::Timestamp::Min();  // Of what was read, at this replica.
  runtime::NodeId leader = {};  // As far as the replica knows; a refusal says it, too.
};

class ReplicaReads {
 public:
  // All outlive it.
  ReplicaReads(runtime::World* world, truetime::TrueTime* truetime)
      : world_(*world), truetime_(*truetime) {}

  // Null while none is open.
  void SetHost(paxos::Host* host) { host_ = host; }
  // How it is known, at the leader, whether a commit under way writes in a range of the group's keys.
  using CommitsUnderWay = std::function<bool(storage::GroupId, const KeyRange&)>;
  void SetCommitsUnderWay(CommitsUnderWay commits) { commits_under_way_ = std::move(commits); }

  // Whether a replica is here, and leads.
  bool Has(storage::GroupId group) const;
  bool Leads(storage::GroupId group) const;
  runtime::Task<absl::StatusOr<ReplicaRows>> Read(ReplicaRead read);

 private:
  using GroupPtr = std::shared_ptr<paxos::Group>;

  runtime::Task<absl::StatusOr<ReplicaRows>> ReadIn(GroupPtr group, ReplicaRead read);
  // A timestamp that sees all that was committed before, at the leader.
  absl::StatusOr<runtime::Timestamp> ChooseNewest(const GroupPtr& group,
                                                  const std::vector<KeyRange>& ranges);

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  paxos::Host* host_ = nullptr;
  CommitsUnderWay commits_under_way_;
};

}  // namespace txn

#endif  // TXN_REPLICA_READS_H_
