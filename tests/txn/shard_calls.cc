#include "tests/txn/shard_calls.h"

#include <algorithm>

#include "paxos/group.h"
#include "runtime/check.h"
#include "txn/call_parts.h"

namespace txn {

using runtime::Duration;
using runtime::NodeId;
using runtime::Timestamp;
using storage::GroupId;

namespace {

constexpr Duration kTimeout = std::chrono::seconds(20);

void Sign(const Caller& caller, int group, auto* request) {
  wire::Encode(caller.id, request->mutable_id());
  wire::Encode(caller.age, request->mutable_age());
  const auto ballot = caller.ballots.find(group);
  if (ballot != caller.ballots.end()) wire::Encode(ballot->second, request->mutable_ballot());
}

}  // namespace

Caller ShardCalls::Begin() {
  const TransactionId id{.begun = cluster_.program(kClient)->truetime().Now().latest,
                         .gateway = NodeId(kClient),
                         .sequence = ++begun_};
  return {.id = id, .age = Age::Of(id)};
}

template <typename Request, typename Reply>
absl::StatusOr<Reply> ShardCalls::Call(runtime::Method<Request, Reply> method, int node, int group,
                                       Request request) {
  request.set_group(static_cast<uint64_t>(group));
  const auto reply = cluster_.Await(
      kClient, CallNode(&cluster_.world(kClient).network(), method,
                        NodeId(static_cast<uint32_t>(node)), std::move(request), kTimeout));
  CHECK(reply) << "the client's node went down";
  return *reply;
}

absl::StatusOr<proto::AccessReply> ShardCalls::Lock(Caller* caller, int group,
                                                    std::vector<struct Lock> locks,
                                                    Duration wait_max, std::vector<Key> get) {
  proto::AccessRequest request;
  Sign(*caller, group, &request);
  wire::Encode(locks, request.mutable_locks());
  for (Key& key : get) request.add_get(std::move(key));
  request.set_wait_max(wait_max.count());
  auto reply = Call(kAccess, cluster_.AwaitLeader(group), group, std::move(request));
  if (reply.ok()) caller->ballots[group] = wire::Decode(reply->ballot());
  return reply;
}

absl::Status ShardCalls::Prepare(const Caller& caller, int group, int coordinator,
                                 std::vector<Write> writes) {
  proto::PrepareRequest request;
  Sign(caller, group, &request);
  request.set_coordinator(static_cast<uint64_t>(coordinator));
  request.set_coordinator_node(static_cast<uint32_t>(cluster_.AwaitLeader(coordinator)));
  wire::Encode(writes, request.mutable_writes());
  return Call(kPrepare, cluster_.AwaitLeader(group), group, std::move(request)).status();
}

absl::StatusOr<Timestamp> ShardCalls::Commit(const Caller& caller, int group,
                                             std::vector<Write> writes, std::vector<int> writers,
                                             std::vector<int> readers) {
  proto::CommitRequest request;
  Sign(caller, group, &request);
  if (!request.has_ballot()) {
    std::vector<struct Lock> locks;
    for (const Write& write : writes)
      locks.push_back({PointRange(write.key), LockMode::kExclusive});
    wire::Encode(locks, request.mutable_locks());
    request.set_wait_max(Duration(std::chrono::seconds(1)).count());
  }
  wire::Encode(writes, request.mutable_writes());
  for (const int writer : writers) request.add_writers(static_cast<uint64_t>(writer));
  for (const int reader : readers) request.add_readers(static_cast<uint64_t>(reader));
  const auto reply = Call(kCommit, cluster_.AwaitLeader(group), group, std::move(request));
  if (!reply.ok()) return reply.status();
  return Timestamp(reply->timestamp());
}

absl::StatusOr<Outcome> ShardCalls::Conclude(const Caller& caller, int group) {
  proto::ConcludeRequest request;
  wire::Encode(caller.id, request.mutable_id());
  const auto reply = Call(kConclude, cluster_.AwaitLeader(group), group, std::move(request));
  if (!reply.ok()) return reply.status();
  return wire::Decode(reply->outcome());
}

absl::StatusOr<proto::ReportReply> ShardCalls::Report(proto::ReportRequest request, int group) {
  return Call(kReport, cluster_.AwaitLeader(group), group, std::move(request));
}

void ShardCalls::Release(const Caller& caller, int group) {
  proto::ReleaseRequest request;
  wire::Encode(caller.id, request.mutable_id());
  Call(kRelease, cluster_.AwaitLeader(group), group, std::move(request)).IgnoreError();
}

absl::StatusOr<proto::ReadReply> ShardCalls::Read(int node, int group, Key key,
                                                  std::optional<Timestamp> at, Duration wait_max) {
  proto::ReadRequest request;
  if (at) {
    request.set_at(at->nanoseconds());
  } else {
    request.set_newest(true);
  }
  request.add_get(std::move(key));
  request.set_wait_max(wait_max.count());
  return Call(kRead, node, group, std::move(request));
}

Timestamp ShardCalls::AwaitPrepared(const Caller& caller, int group) {
  const int leader = cluster_.AwaitLeader(group);
  const PreparedTransaction* prepared = nullptr;
  CHECK(cluster_.RunUntil([&] {
    prepared = MachineAt(leader, group).prepared().Find(caller.id);
    return prepared != nullptr;
  }));
  return prepared->timestamp;
}

ShardMachine& ShardCalls::MachineAt(int node, int group) {
  const auto here =
      cluster_.program(node)->host()->FindGroup(GroupId(static_cast<uint64_t>(group)));
  return static_cast<ShardMachine&>(here->state_machine());
}

}  // namespace txn
