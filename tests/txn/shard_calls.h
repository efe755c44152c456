// ShardCalls: asks the shards of a TransactionCluster what gateways and coordinators ask them, one
// call at a time and in any order: also what no gateway would.
#ifndef TESTS_TXN_SHARD_CALLS_H_
#define TESTS_TXN_SHARD_CALLS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/txn/transaction_cluster.h"
#include "txn/attempt.h"
#include "txn/calls.h"
#include "txn/commands.h"
#include "txn/kernel/lock.h"

namespace txn {

// A transaction whose gateway is node 4, and where it has locks.
struct Caller {
  TransactionId id;
  Age age;
  std::map<int, paxos::Ballot> ballots = {};
};

class ShardCalls {
 public:
  static constexpr int kClient = 4;

  explicit ShardCalls(TransactionCluster* cluster) : cluster_(*cluster) {}

  // A transaction that begins now; later ones are younger.
  Caller Begin();

  // What the leader of the group answers, or the node that is given. The ballot is remembered.
  absl::StatusOr<proto::AccessReply> Lock(Caller* caller, int group, std::vector<struct Lock> locks,
                                          runtime::Duration wait_max = std::chrono::seconds(1),
                                          std::vector<Key> get = {});
  absl::StatusOr<proto::AccessReply> LockKey(Caller* caller, int group, Key key,
                                             LockMode mode = LockMode::kExclusive) {
    return Lock(caller, group, {{PointRange(std::move(key)), mode}});
  }
  absl::Status Prepare(const Caller& caller, int group, int coordinator, std::vector<Write> writes);
  absl::StatusOr<Timestamp> Commit(const Caller& caller, int group, std::vector<Write> writes,
                                   std::vector<int> writers = {}, std::vector<int> readers = {});
  absl::StatusOr<Outcome> Conclude(const Caller& caller, int group);
  absl::StatusOr<proto::ReportReply> Report(proto::ReportRequest request, int group);
  void Release(const Caller& caller, int group);
  // Of one key, at any replica, without waiting: "-" if there is no row.
  absl::StatusOr<proto::ReadReply> Read(int node, int group, Key key, std::optional<Timestamp> at,
                                        runtime::Duration wait_max = runtime::Duration(0));

  // Runs until the leader of the group has the transaction prepared; its prepare timestamp.
  Timestamp AwaitPrepared(const Caller& caller, int group);
  ShardMachine& MachineAt(int node, int group);

 private:
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(runtime::Method<Request, Reply> method, int node, int group,
                             Request request);

  TransactionCluster& cluster_;
  uint64_t begun_ = 0;
};

// A row that is to be written.
inline Write Put(Key key, std::string value) { return {std::move(key), std::move(value)}; }

}  // namespace txn

#endif  // TESTS_TXN_SHARD_CALLS_H_
