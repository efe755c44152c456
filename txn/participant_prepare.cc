// Phase 1 at a participant, and how it hears of the outcome (TX-2PC).
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/executor.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "txn/call_parts.h"
#include "txn/errors.h"
#include "txn/participant.h"

namespace txn {

namespace proto = ::isochron::txn;

using paxos::Ballot;
using runtime::NodeId;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

namespace {

MonotonicTime Now() { return runtime::Executor::Current().Now(); }

// Between two attempts to reach the coordinator.
constexpr runtime::Duration kReportPause = std::chrono::milliseconds(100);

}  // namespace

// --- Before a commit ---

absl::Status Participant::BeginCommit(const TransactionId& id, const std::vector<Write>& writes) {
  for (const Write& write : writes) {
    if (!checks_epoch_ || locks_.Holds(id, {PointRange(write.key), LockMode::kExclusive})) continue;
    RETURN_IF_ERROR(locks_.CheckNotWounded(id));
    return Refuse(Refusal::Kind::kInvalid, absl::StrCat(PrintKeys(PointRange(write.key)),
                                                        " is to be written and is not locked"));
  }
  // It waits for no lock: nobody who does may be prepared.
  const absl::Status marked = locks_.MarkPrepared(id);
  if (checks_epoch_) RETURN_IF_ERROR(marked);
  open_.at(id).committing = true;
  return absl::OkStatus();
}

bool Participant::HoldsBesides(const TransactionId& id, const std::vector<Write>& writes) const {
  const std::vector<HeldLock>& held = locks_.table().HeldBy(id);
  return std::any_of(held.begin(), held.end(), [&writes](const HeldLock& one) {
    const KeyRange& range = one.lock.range;
    const auto write = std::lower_bound(
        writes.begin(), writes.end(), range.start,
        [](const Write& written, const Key& start) { return written.key < start; });
    return write == writes.end() || range != PointRange(write->key);
  });
}

absl::StatusOr<Timestamp> Participant::Guard(const GroupPtr& group) const {
  // In this ballot the locks stay until it has passed; other leaders assign above it.
  ASSIGN_OR_RETURN(const Timestamp latest, context_.NowLatest());
  const Timestamp until = std::min(latest + context_.options.participant.guard_length,
                                   group->lease_end() - runtime::Duration(1));
  RETURN_IF_ERROR(group->Guard(until));
  return until;
}

// --- Phase 1 ---

absl::Status Participant::Prepare(const GroupPtr& group, proto::PrepareRequest request) {
  const Attempt attempt = AttemptOf(request);
  if (!attempt.ballot) return Refuse(Refusal::Kind::kInvalid, "it holds no locks here");
  txn::Prepare prepare{
      .id = attempt.id, .age = attempt.age, .coordinator = GroupId(request.coordinator())};
  absl::StatusOr<std::vector<Write>> writes = wire::Decode(request.mutable_writes());
  if (!writes.ok() || prepare.coordinator == GroupId() || prepare.coordinator == group_) {
    return Refuse(Refusal::Kind::kInvalid, "no such prepare");
  }
  prepare.writes = *std::move(writes);
  RETURN_IF_ERROR(Enter(group, attempt));
  if (open_.at(attempt.id).committing) return absl::OkStatus();  // It was sent twice.
  const ShardDescriptor& shard = MachineOf(group).descriptor();
  for (const Write& write : prepare.writes) {
    if (!shard.range.Contains(write.key)) return NotInShard(group_, PointRange(write.key), shard);
  }
  // TX-READ-GUARD, for what it has only read here, which is not in the log.
  Timestamp guarded_until = Timestamp::Max();
  if (HoldsBesides(attempt.id, prepare.writes)) {
    ASSIGN_OR_RETURN(guarded_until, Guard(group));
  }
  RETURN_IF_ERROR(BeginCommit(attempt.id, prepare.writes));

  proto::ReportRequest report;
  report.set_group(request.coordinator());
  wire::Encode(attempt.id, report.mutable_id());
  report.set_participant(group_.value());
  report.set_guarded_until(guarded_until.nanoseconds());
  const NodeId coordinator_node(request.coordinator_node());
  // It goes on when the gateway has gone: what may be in the log is not to be forgotten here.
  if (prepare.writes.empty()) {
    open_.at(attempt.id).guarded_until = guarded_until;
    report.set_timestamp(group->last_timestamp().nanoseconds());
    scope_.Spawn(Report(group, coordinator_node, std::move(report), /*prepared=*/false));
  } else {
    scope_.Spawn(RunPrepare(group, *attempt.ballot, std::move(prepare), coordinator_node,
                            std::move(report)));
  }
  return absl::OkStatus();
}

Task<void> Participant::RunPrepare(GroupPtr group, Ballot ballot, txn::Prepare prepare,
                                   NodeId coordinator_node, proto::ReportRequest report) {
  const TransactionId id = prepare.id;
  const absl::StatusOr<Timestamp> timestamp =
      co_await LogPrepare(group, ballot, std::move(prepare));
  if (timestamp.ok()) {
    report.set_timestamp(timestamp->nanoseconds());
  } else {
    const Refusal refusal = Translate(timestamp.status());
    report.set_refused(refusal.why);
    // What may be in the log stays locked until that is known.
    if (locks_.ballot() == ballot && refusal.kind != Refusal::Kind::kUnknown) {
      GiveUp(id, refusal.why);
    }
  }
  co_await Report(std::move(group), coordinator_node, std::move(report), timestamp.ok());
}

Task<absl::StatusOr<Timestamp>> Participant::LogPrepare(GroupPtr group, Ballot ballot,
                                                        txn::Prepare prepare) {
  CO_ASSIGN_OR_RETURN(const Timestamp at_least, context_.NowLatest());
  CO_ASSIGN_OR_RETURN(const paxos::Proposed proposed,
                      co_await group->Propose(EncodeCommand(std::move(prepare)), at_least,
                                              paxos::Until::kApplied, Epoch(ballot)));
  CO_ASSIGN_OR_RETURN(const CommandResult result, ResultOf(group, proposed.slot));
  switch (result.kind) {
    case CommandResult::Kind::kPrepared:
      co_return result.timestamp;
    case CommandResult::Kind::kWrongRange:
      co_return NotInShard(group_, result.descriptor.range, result.descriptor);
    case CommandResult::Kind::kTooOld:
      co_return Refuse(Refusal::Kind::kTooOld, "it began too long ago to commit");
    default:
      co_return Refuse(Refusal::Kind::kAborted, result.why);
  }
}

Task<void> Participant::Report(GroupPtr group, NodeId coordinator_node, proto::ReportRequest report,
                               bool prepared) {
  const MonotonicTime end = Now() + context_.options.coordinator.reports_max;
  const TransactionId id = wire::Decode(report.id());
  while (Now() < end) {
    const absl::StatusOr<proto::ReportReply> reply =
        co_await CallNode(&context_.world.network(), kReport, coordinator_node, report,
                          context_.options.calls.attempt_max);
    // Of who only read nothing is in the log, and nothing is to be.
    if (reply.ok() && reply->has_outcome() && prepared) {
      (co_await Resolve(&context_, group, id, wire::Decode(reply->outcome()))).IgnoreError();
    }
    // Another leader knows nothing of this commit, and is asked in time.
    if (reply.ok() || RefusalOf(reply.status())) co_return;
    if (!(co_await runtime::SleepFor(kReportPause)).ok()) co_return;
  }
}

// --- The outcome ---

Task<void> Participant::Inquire(GroupPtr group, TransactionId id, GroupId coordinator) {
  proto::ReportRequest request;
  wire::Encode(id, request.mutable_id());
  request.set_participant(group_.value());
  request.set_in_doubt(true);
  const runtime::Duration pause = context_.options.participant.inquire_after;
  const absl::StatusOr<proto::ReportReply> reply =
      co_await context_.caller.Call(kReport, coordinator, std::move(request), Now() + 2 * pause);
  std::optional<Outcome> outcome;
  if (reply.ok() && reply->has_outcome()) outcome = wire::Decode(reply->outcome());
  const std::optional<Refusal> refusal = RefusalOf(reply.status());
  // Commits are kept until all participants have them: so this is none.
  if (refusal && refusal->kind == Refusal::Kind::kTooOld) outcome = Outcome::Aborted(refusal->why);
  if (outcome) {
    (co_await Resolve(&context_, group, id, *std::move(outcome))).IgnoreError();
  }
  const auto doubt = doubts_.find(id);
  if (doubt != doubts_.end()) doubt->second = {.ask_at = Now() + pause};
}

Task<absl::Status> Participant::Resolve(const ShardContext* context, GroupPtr group,
                                        TransactionId id, Outcome outcome) {
  CO_ASSIGN_OR_RETURN(const std::optional<Outcome> known, MachineOf(group).OutcomeOf(id));
  if (known) co_return absl::OkStatus();
  // What is locked here next commits above it.
  CO_ASSIGN_OR_RETURN(Timestamp at_least, context->NowLatest());
  if (outcome.committed) at_least = std::max(at_least, *outcome.committed);
  txn::Resolve resolve{.id = id, .outcome = std::move(outcome)};
  co_return (co_await group->Propose(EncodeCommand(std::move(resolve)), at_least)).status();
}

}  // namespace txn
