// GatewayCore: what the transactions of a gateway share: the way to the shards, the ids, and the
// work that goes on without them: keep-alives and releases.
//
// Place:       owned by the Gateway, and outlives its transactions.
// Concurrency: one loop.
#ifndef TXN_GATEWAY_CORE_H_
#define TXN_GATEWAY_CORE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/world.h"
#include "truetime/truetime.h"
#include "txn/gateway.h"
#include "txn/group_caller.h"
#include "txn/replica_caller.h"
#include "txn/shard_map.h"
#include "txn/shard_server.h"

namespace txn {

class ReadWrite;

class GatewayCore {
 public:
  GatewayCore(runtime::World* world, truetime::TrueTime* truetime, ShardMap* map,
              ShardServer* local, GatewayOptions options);
  GatewayCore(const GatewayCore&) = delete;
  GatewayCore& operator=(const GatewayCore&) = delete;

  // The releases under way still end. CHECKs that no transaction is left.
  runtime::Task<void> Close();

  runtime::World& world() { return world_; }
  ShardMap& map() { return map_; }
  GroupCaller& caller() { return caller_; }
  ReplicaCaller& replicas() { return replicas_; }
  const GatewayOptions& options() const { return options_; }

  static MonotonicTime Now() { return runtime::Executor::Current().Now(); }
  // Of a call that begins now.
  MonotonicTime Deadline() const { return Now() + options_.call_max; }
  // At or above it is above all that was acknowledged. UNAVAILABLE while the clock cannot be trusted.
  absl::StatusOr<runtime::Timestamp> NowLatest() const;
  // Until it has passed. A refusal at the deadline.
  runtime::Task<absl::Status> WaitUntilAfter(runtime::Timestamp time, MonotonicTime deadline);
  // The same as Gateway::Conclude(), with errors as refusals. `give_up`: why a commit under way is to
  // be given up; empty: it is not.
  runtime::Task<absl::StatusOr<Outcome>> Conclude(TransactionId id, storage::GroupId coordinator,
                                                  std::string give_up, MonotonicTime deadline);
  // The map was wrong about the group. Ends when it knows better.
  runtime::Task<absl::Status> Refresh(storage::GroupId group, absl::Status wrong_range,
                                      MonotonicTime deadline);

  // A new one, with `*refused` OK; or one that is good for nothing.
  TransactionId NewId(absl::Status* refused);
  // It is open, and kept alive.
  void Add(ReadWrite* transaction);
  // It has ended. May have been removed before.
  void Remove(ReadWrite* transaction);
  // Frees what the transaction may hold in these groups, in the background, as well as it can be done.
  void Release(const TransactionId& id, const std::vector<storage::GroupId>& groups);
  // TX-ALIVE: in the background; the transaction hears the answer if it is still there.
  void KeepAlive(const TransactionId& id, storage::GroupId group,
                 isochron::txn::KeepAliveRequest request);

 private:
  runtime::Task<void> KeepAlives();
  runtime::Task<void> SendKeepAlive(TransactionId id, storage::GroupId group,
                                    isochron::txn::KeepAliveRequest request);
  runtime::Task<void> SendRelease(TransactionId id, storage::GroupId group);

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  ShardMap& map_;
  const GatewayOptions options_;
  GroupCaller caller_;
  ReplicaCaller replicas_;

  uint64_t last_sequence_;
  runtime::Timestamp last_begun_;
  std::map<TransactionId, ReadWrite*> open_;
  runtime::TaskScope releases_;
  runtime::TaskScope upkeep_;
};

}  // namespace txn

#endif  // TXN_GATEWAY_CORE_H_
