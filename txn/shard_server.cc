#include "txn/shard_server.h"

#include <map>
#include <utility>
#include <vector>

#include "paxos/errors.h"
#include "paxos/host.h"
#include "runtime/executor.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/task_scope.h"
#include "txn/call_parts.h"
#include "txn/calls.h"
#include "txn/replica_reads.h"
#include "txn/shard.h"

namespace txn {

using runtime::NodeId;
using runtime::Task;
using storage::GroupId;

namespace {

// Between two looks at what does not announce itself.
constexpr runtime::Duration kLookEvery = std::chrono::milliseconds(100);

}  // namespace

class ShardServer::Core {
 public:
  Core(runtime::World* world, truetime::TrueTime* truetime, const ShardMap* map,
       ShardServerOptions options)
      : options_(std::move(options)),
        world_(*world),
        truetime_(*truetime),
        caller_(world, map, options_.calls),
        context_{*world, *truetime, caller_, options_},
        reads_(world, truetime),
        scope_(runtime::Executor::Current()) {
    reads_.SetCommitsUnderWay([this](GroupId group, const KeyRange& range) {
      Shard* const shard = FindShard(group);
      const LockTable* const locks = shard == nullptr ? nullptr : shard->participant().lock_table();
      return locks != nullptr && locks->IsBeingCommitted(range);
    });
    ServeAll();
    scope_.Spawn(LookAround());
  }

  std::unique_ptr<paxos::StateMachine> MakeMachine(GroupId group, ShardDescriptor founding);
  void SetHost(paxos::Host* host) {
    host_ = host;
    reads_.SetHost(host);
  }
  Task<void> Close();
  ReplicaReads& reads() { return reads_; }
  Shard* FindShard(GroupId group) {
    const auto found = shards_.find(group);
    return found == shards_.end() ? nullptr : found->second.get();
  }

 private:
  using ShardPtr = std::shared_ptr<Shard>;
  struct Here {
    GroupPtr group;
    ShardPtr shard;
  };

  // A shard that is here, or where else it may be.
  absl::StatusOr<Here> Find(uint64_t group) const;
  // Serves a method with `answer(shard, group, request)`.
  template <typename Request, typename Reply, typename Answer>
  void Serve(runtime::Method<Request, Reply> method, Answer answer);
  template <typename Request, typename Reply, typename Answer>
  static Task<absl::StatusOr<Reply>> Handle(Core* core, Answer answer, Request request);
  void ServeAll();
  Task<void> LookAround();

  const ShardServerOptions options_;
  runtime::World& world_;
  truetime::TrueTime& truetime_;
  GroupCaller caller_;
  const ShardContext context_;
  ReplicaReads reads_;
  paxos::Host* host_ = nullptr;
  std::map<GroupId, ShardPtr> shards_;
  std::vector<ShardPtr> retired_;  // Of groups that have ended here, until their work has.
  runtime::TaskScope scope_;
  std::vector<runtime::Network::Registration> served_;
};

std::unique_ptr<paxos::StateMachine> ShardServer::Core::MakeMachine(GroupId group,
                                                                    ShardDescriptor founding) {
  auto machine = std::make_unique<ShardMachine>(&world_, &truetime_, group, std::move(founding),
                                                options_.machine);
  auto shard = std::make_shared<Shard>(&context_, group);
  shard->SetMachine(machine.get());
  machine->SetListener(shard);
  ShardPtr& here = shards_[group];
  if (here != nullptr) {
    here->Stop();
    retired_.push_back(std::move(here));
  }
  here = std::move(shard);
  return machine;
}

Task<void> ShardServer::Core::Close() {
  served_.clear();
  co_await scope_.Close();
  for (auto& [group, shard] : std::exchange(shards_, {})) retired_.push_back(std::move(shard));
  for (const ShardPtr& shard : retired_) co_await shard->Join();
  retired_.clear();
}

absl::StatusOr<ShardServer::Core::Here> ShardServer::Core::Find(uint64_t id) const {
  const GroupId group(id);
  const auto shard = shards_.find(group);
  GroupPtr here = host_ == nullptr ? nullptr : host_->FindGroup(group);
  if (here == nullptr || shard == shards_.end()) return paxos::NoSuchGroup(group);
  return Here{std::move(here), shard->second};
}

template <typename Request, typename Reply, typename Answer>
Task<absl::StatusOr<Reply>> ShardServer::Core::Handle(Core* core, Answer answer, Request request) {
  absl::StatusOr<Here> here = core->Find(request.group());
  absl::Status error = here.status();
  if (here.ok()) {
    absl::StatusOr<Reply> reply = co_await answer(here->shard, here->group, std::move(request));
    if (reply.ok()) co_return reply;
    error = std::move(reply).status();
  }
  Reply refused;
  Encode(Translate(error), refused.mutable_refusal());
  co_return refused;
}

template <typename Request, typename Reply, typename Answer>
void ShardServer::Core::Serve(runtime::Method<Request, Reply> method, Answer answer) {
  served_.push_back(runtime::Serve<Request, Reply>(
      &world_.network(), method, &runtime::Executor::Current(),
      [this, answer](NodeId, Request request) -> Task<absl::StatusOr<Reply>> {
        return Handle<Request, Reply, Answer>(this, answer, std::move(request));
      }));
}

namespace {

Task<absl::StatusOr<proto::AccessReply>> AnswerAccess(std::shared_ptr<Shard> shard, GroupPtr group,
                                                      proto::AccessRequest request) {
  co_return co_await shard->participant().Access(std::move(group), std::move(request));
}

Task<absl::StatusOr<proto::PrepareReply>> AnswerPrepare(std::shared_ptr<Shard> shard,
                                                        GroupPtr group,
                                                        proto::PrepareRequest request) {
  CO_RETURN_IF_ERROR(shard->participant().Prepare(group, std::move(request)));
  co_return proto::PrepareReply();
}

Task<absl::StatusOr<proto::CommitReply>> AnswerCommit(std::shared_ptr<Shard> shard, GroupPtr group,
                                                      proto::CommitRequest request) {
  co_return co_await shard->coordinator().Commit(std::move(group), std::move(request));
}

Task<absl::StatusOr<proto::ReportReply>> AnswerReport(std::shared_ptr<Shard> shard, GroupPtr group,
                                                      proto::ReportRequest request) {
  co_return co_await shard->coordinator().Report(std::move(group), std::move(request));
}

Task<absl::StatusOr<proto::ResolveReply>> AnswerResolve(std::shared_ptr<Shard> shard,
                                                        GroupPtr group,
                                                        proto::ResolveRequest request) {
  CO_RETURN_IF_ERROR(co_await shard->Resolve(std::move(group), std::move(request)));
  co_return proto::ResolveReply();
}

Task<absl::StatusOr<proto::ConcludeReply>> AnswerConclude(std::shared_ptr<Shard> shard,
                                                          GroupPtr group,
                                                          proto::ConcludeRequest request) {
  co_return co_await shard->coordinator().Conclude(std::move(group), std::move(request));
}

Task<absl::StatusOr<proto::ReleaseReply>> AnswerRelease(std::shared_ptr<Shard> shard,
                                                        GroupPtr group,
                                                        proto::ReleaseRequest request) {
  CO_RETURN_IF_ERROR(shard->participant().Release(group, wire::Decode(request.id())));
  co_return proto::ReleaseReply();
}

Task<absl::StatusOr<proto::KeepAliveReply>> AnswerKeepAlive(std::shared_ptr<Shard> shard,
                                                            GroupPtr group,
                                                            proto::KeepAliveRequest request) {
  CO_RETURN_IF_ERROR(shard->participant().KeepAlive(group, AttemptOf(request)));
  co_return proto::KeepAliveReply();
}

Task<absl::StatusOr<proto::ReadReply>> AnswerRead(ReplicaReads* reads, proto::ReadRequest request) {
  ReplicaRead read{.group = GroupId(request.group()),
                   .wait_max = runtime::Duration(request.wait_max())};
  if (request.has_at()) {
    read.timestamp = runtime::Timestamp(request.at());
  } else if (request.has_at_least()) {
    read.at = ReplicaRead::At::kAtLeast;
    read.timestamp = runtime::Timestamp(request.at_least());
  } else {
    read.at = ReplicaRead::At::kNewest;
  }
  CO_ASSIGN_OR_RETURN(read.wanted, wire::TakeWanted(&request));
  CO_ASSIGN_OR_RETURN(ReplicaRows rows, co_await reads->Read(std::move(read)));
  proto::ReadReply reply;
  reply.set_timestamp(rows.timestamp.nanoseconds());
  reply.set_safe_time(rows.safe_time.nanoseconds());
  reply.set_leader(rows.leader.value());
  wire::SetFound(std::move(rows.found), &reply);
  co_return reply;
}

// Keeps the compiler from seeing a capturing coroutine.
struct ReadAnswerer {
  ReplicaReads* reads;
  Task<absl::StatusOr<proto::ReadReply>> operator()(std::shared_ptr<Shard>, GroupPtr,
                                                    proto::ReadRequest request) const {
    return AnswerRead(reads, std::move(request));
  }
};

}  // namespace

void ShardServer::Core::ServeAll() {
  Serve(kAccess, &AnswerAccess);
  Serve(kPrepare, &AnswerPrepare);
  Serve(kCommit, &AnswerCommit);
  Serve(kReport, &AnswerReport);
  Serve(kResolve, &AnswerResolve);
  Serve(kConclude, &AnswerConclude);
  Serve(kRelease, &AnswerRelease);
  Serve(kKeepAlive, &AnswerKeepAlive);
  Serve(kRead, ReadAnswerer{&reads_});
}

Task<void> ShardServer::Core::LookAround() {
  while ((co_await runtime::SleepFor(kLookEvery)).ok()) {
    std::erase_if(retired_,
                  [](const ShardPtr& shard) { return shard->idle() && shard.use_count() == 1; });
    for (const auto& [group, shard] : shards_) {
      const GroupPtr here = host_ == nullptr ? nullptr : host_->FindGroup(group);
      if (here != nullptr) shard->LookAround(here);
    }
  }
}

// --- ShardServer ---

ShardServer::ShardServer(runtime::World* world, truetime::TrueTime* truetime, const ShardMap* map,
                         ShardServerOptions options)
    : core_(std::make_unique<Core>(world, truetime, map, std::move(options))) {}

ShardServer::~ShardServer() = default;

paxos::StateMachineFactory ShardServer::Factory(std::function<ShardDescriptor(GroupId)> founding) {
  return [this, founding = std::move(founding)](GroupId group) {
    return core_->MakeMachine(group, founding(group));
  };
}

void ShardServer::SetHost(paxos::Host* host) { core_->SetHost(host); }

Task<void> ShardServer::Close() { co_await core_->Close(); }

ReplicaReads& ShardServer::reads() { return core_->reads(); }

Shard* ShardServer::FindShard(GroupId group) { return core_->FindShard(group); }

}  // namespace txn
