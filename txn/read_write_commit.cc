// How a transaction commits.
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "runtime/task_scope.h"
#include "txn/first_error.h"
#include "txn/read_write.h"
#include "txn/refusal.h"
#include "txn/session_errors.h"

namespace txn {

using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

Task<absl::StatusOr<Timestamp>> ReadWrite::Commit() {
  CO_RETURN_IF_ERROR(CheckOpen());
  const MonotonicTime deadline = core_.Deadline();
  absl::StatusOr<Plan> plan = MakePlan();
  if (!plan.ok()) co_return Fail(plan.status());
  const bool over_groups =
      plan->size() > 1 || (plan->size() == 1 && HoldsBesides(plan->begin()->first));
  if (over_groups) {
    // TX-2PC: whoever is prepared waits for no lock, so all are taken before.
    const absl::Status locked = co_await LockWrites(&*plan, deadline);
    if (!locked.ok()) co_return Fail(locked);
    CO_RETURN_IF_ERROR(CheckOpen());
  }
  state_ = State::kCommitting;
  absl::StatusOr<Timestamp> committed = absl::UnknownError("");
  if (plan->empty()) {
    committed = co_await CommitReads(deadline);
  } else if (over_groups) {
    committed = co_await CommitInGroups(&*plan, deadline);
  } else {
    committed = co_await CommitInOneGroup(&*plan, deadline);
  }
  if (!committed.ok()) {
    // What may still commit is not touched.
    co_return Fail(committed.status(), absl::IsUnknown(committed.status()) ? *plan : Plan());
  }
  // The locks on what was written end with the outcome.
  ReleaseAllBut(*plan);
  End(State::kEnded, absl::FailedPreconditionError("the transaction has committed"));
  co_return committed;
}

absl::StatusOr<ReadWrite::Plan> ReadWrite::MakePlan() const {
  Plan plan;
  std::optional<ShardLocation> location;
  for (const auto& [key, written] : writes_.writes()) {
    if (!location || !location->range.Contains(key)) location = core_.map().Find(key);
    if (!location) return NoShard(PointRange(key));
    plan[location->group].push_back({key, written.value});
  }
  return plan;
}

bool ReadWrite::HoldsBesides(GroupId group) const {
  for (const auto& [other, known] : ledger_.groups()) {
    if (other != group && known.ballot) return true;
  }
  return false;
}

std::vector<Lock> ReadWrite::MissingLocks(GroupId group, const std::vector<Write>& writes) const {
  std::vector<Lock> locks;
  locks.reserve(writes.size());
  for (const Write& write : writes) locks.push_back({PointRange(write.key), LockMode::kExclusive});
  return ledger_.Missing(group, std::move(locks));
}

// --- Without writes ---

Task<absl::StatusOr<Timestamp>> ReadWrite::CommitReads(MonotonicTime deadline) {
  // All that was read has a timestamp that has passed; and if all locks are still held when this
  // one has passed too, what is written there later gets a higher one (TX-COMMIT-WAIT).
  CO_ASSIGN_OR_RETURN(const Timestamp now, core_.NowLatest());
  CO_RETURN_IF_ERROR(co_await core_.WaitUntilAfter(now, deadline));
  std::vector<Task<absl::Status>> tasks;
  for (const auto& [group, known] : ledger_.groups()) {
    if (known.ballot) tasks.push_back(ConfirmLocks(group, deadline));
  }
  CO_RETURN_IF_ERROR(co_await AllOrFirstError(std::move(tasks)));
  co_return now;
}

Task<absl::Status> ReadWrite::ConfirmLocks(GroupId group, MonotonicTime deadline) {
  proto::KeepAliveRequest request;
  SignRequest(group, &request);
  co_return (co_await core_.caller().Call(kKeepAlive, group, std::move(request), deadline))
      .status();
}

// --- With writes ---

Task<absl::StatusOr<Timestamp>> ReadWrite::CommitInOneGroup(const Plan* plan,
                                                            MonotonicTime deadline) {
  const auto& [group, writes] = *plan->begin();
  ledger_.At(group);
  proto::CommitRequest request;
  SignRequest(group, &request);
  wire::Encode(writes, request.mutable_writes());
  wire::Encode(MissingLocks(group, writes), request.mutable_locks());
  co_return co_await Decide(group, std::move(request), deadline);
}

Task<absl::StatusOr<Timestamp>> ReadWrite::CommitInGroups(const Plan* plan,
                                                          MonotonicTime deadline) {
  const GroupId coordinator = ChooseCoordinator(*plan);
  coordinator_ = coordinator;
  proto::CommitRequest commit;
  SignRequest(coordinator, &commit);
  wire::Encode(plan->at(coordinator), commit.mutable_writes());
  runtime::TaskScope prepares(runtime::Executor::Current(), co_await runtime::CurrentCancelScope());
  for (const auto& [group, known] : ledger_.groups()) {
    if (group == coordinator || !known.ballot) continue;
    if (plan->contains(group)) {
      commit.add_writers(group.value());
    } else {
      commit.add_readers(group.value());
    }
    prepares.Spawn(SendPrepare(group, PrepareFor(group, *plan), deadline));
  }
  const absl::StatusOr<Timestamp> decided =
      co_await Decide(coordinator, std::move(commit), deadline);
  co_await prepares.Close();
  co_return decided;
}

// All or none: who waits here is not prepared anywhere.
Task<absl::Status> ReadWrite::LockWrites(const Plan* plan, MonotonicTime deadline) {
  std::vector<Task<absl::Status>> tasks;
  for (const auto& [group, writes] : *plan) {
    std::vector<Lock> missing = MissingLocks(group, writes);
    if (!missing.empty()) tasks.push_back(LockIn(group, std::move(missing), deadline));
  }
  co_return co_await AllOrFirstError(std::move(tasks));
}

Task<absl::Status> ReadWrite::LockIn(GroupId group, std::vector<Lock> locks,
                                     MonotonicTime deadline) {
  const absl::Status locked =
      (co_await Access(group, proto::AccessRequest(), std::move(locks), deadline)).status();
  if (IsWrongRange(locked)) {
    CO_RETURN_IF_ERROR(co_await core_.Refresh(group, locked, deadline));
  }
  co_return locked;
}

GroupId ReadWrite::ChooseCoordinator(const Plan& plan) const {
  for (const auto& [group, writes] : plan) {
    if (core_.caller().LeaderOf(group) == core_.world().node()) return group;
  }
  return plan.begin()->first;
}

proto::PrepareRequest ReadWrite::PrepareFor(GroupId group, const Plan& plan) const {
  proto::PrepareRequest request;
  SignRequest(group, &request);
  request.set_coordinator(coordinator_->value());
  const std::optional<runtime::NodeId> node = core_.caller().LeaderOf(*coordinator_);
  request.set_coordinator_node(node.value_or(runtime::NodeId()).value());
  const auto writes = plan.find(group);
  if (writes != plan.end()) wire::Encode(writes->second, request.mutable_writes());
  return request;
}

Task<void> ReadWrite::SendPrepare(GroupId group, proto::PrepareRequest request,
                                  MonotonicTime deadline) {
  const absl::Status begun =
      (co_await core_.caller().Call(kPrepare, group, std::move(request), deadline)).status();
  // No refusal: the commit has ended before.
  if (begun.ok() || !RefusalOf(begun)) co_return;
  (co_await core_.Conclude(id_, *coordinator_, std::string(begun.message()), core_.Deadline()))
      .status()
      .IgnoreError();
}

// --- The outcome ---

Task<absl::StatusOr<Timestamp>> ReadWrite::Decide(GroupId coordinator, proto::CommitRequest request,
                                                  MonotonicTime deadline) {
  coordinator_ = coordinator;
  const bool held_locks = request.has_ballot();
  const absl::StatusOr<proto::CommitReply> reply = co_await core_.caller().Call(
      kCommit, coordinator, std::move(request), deadline, GroupCaller::Repeat::kOnce);
  if (reply.ok()) co_return Timestamp(reply->timestamp());
  const std::optional<Refusal> refusal = RefusalOf(reply.status());
  if (refusal && refusal->kind == Refusal::Kind::kNotNow && held_locks) {
    co_return Refuse(Refusal::Kind::kAborted, refusal->why);
  }
  if (IsWrongRange(reply.status())) {
    (co_await core_.Refresh(coordinator, reply.status(), deadline)).IgnoreError();
  }
  if (refusal && refusal->kind != Refusal::Kind::kUnknown) co_return reply.status();
  const absl::StatusOr<Outcome> outcome =
      co_await core_.Conclude(id_, coordinator, "", core_.Deadline());
  if (!outcome.ok()) {
    co_return Refuse(Refusal::Kind::kUnknown,
                     absl::StrCat("whether transaction ", ToText(id_),
                                  " was committed is not known yet; group ", coordinator.value(),
                                  " can tell later: ", std::string(outcome.status().message())));
  }
  if (!outcome->committed) co_return Refuse(Refusal::Kind::kAborted, outcome->why);
  co_return *outcome->committed;
}

}  // namespace txn
