#include "txn/coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/signal.h"
#include "runtime/check.h"
#include "runtime/event.h"
#include "runtime/executor.h"
#include "runtime/format.h"
#include "runtime/status_macros.h"
#include "txn/call_parts.h"

namespace txn {

namespace proto = ::isochron::txn;

using runtime::Duration;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

namespace {

MonotonicTime Now() { return runtime::Executor::Current().Now(); }

Outcome OutcomeOf(const CommandResult& result) {
  return result.kind == CommandResult::Kind::kCommitted ? Outcome::Committed(result.timestamp)
                                                        : Outcome::Aborted(result.why);
}

}  // namespace

struct Coordinator::Commitment {
  struct Told {
    Timestamp timestamp;
    Timestamp guarded_until;
  };

  bool Complete() const {
    const auto reported = [this](GroupId group) { return reports.contains(group); };
    return std::all_of(writers.begin(), writers.end(), reported) &&
           std::all_of(readers.begin(), readers.end(), reported);
  }

  Attempt attempt;
  paxos::Ballot ballot;
  bool asked = false;  // By its gateway.
  std::vector<Write> writes = {};
  std::vector<Lock> locks = {};
  Duration wait_max{};
  std::vector<GroupId> writers = {};
  std::vector<GroupId> readers = {};

  std::map<GroupId, Told> reports = {};
  std::optional<std::string> refused = {};  // Why it cannot commit.
  bool decided = false;                     // Its entry may be in the log: nothing stops it now.
  paxos::Signal changed = {};

  proto::CommitTimes times = {};
  absl::StatusOr<Timestamp> result = absl::UnknownError("");
  runtime::Event done = {};
};

Coordinator::Coordinator(const ShardContext* context, GroupId group, Participant* participant,
                         runtime::TaskScope* scope)
    : context_(*context),
      group_(group),
      participant_(*participant),
      scope_(*scope),
      sender_(context, scope) {}

// --- The lead ---

void Coordinator::Begin(ShardMachine* machine) {
  End();
  for (const auto& [id, participants] : machine->waiting()) {
    const absl::StatusOr<std::optional<Outcome>> outcome = machine->OutcomeOf(id);
    // What cannot be read now is asked for by who is in doubt.
    if (outcome.ok() && *outcome) sender_.Add(id, **outcome, participants);
  }
}

void Coordinator::End() {
  sender_.End();
  for (const auto& [id, commit] : std::exchange(commits_, {})) {
    commit->refused = absl::StrCat("group ", group_.value(), " changed its leader");
    commit->changed.Raise();
  }
}

void Coordinator::HasEnded(const Ended& ended, const ShardMachine& machine) {
  const auto waiting = machine.waiting().find(ended.id);
  if (waiting != machine.waiting().end()) sender_.Add(ended.id, ended.outcome, waiting->second);
}

void Coordinator::LookAround(const GroupPtr& group) {
  if (!participant_.ballot()) return;
  // Reports of commits that nobody will ask for.
  std::erase_if(commits_, [this](const auto& one) {
    return !one.second->asked && !participant_.IsOpen(one.first);
  });
  if (std::vector<TransactionId> delivered = sender_.TakeDelivered(); !delivered.empty()) {
    scope_.Spawn(ProposeForget(group, std::move(delivered)));
  }
  const std::optional<Trim> trim = MachineOf(group).TrimDue();
  if (trim && !std::exchange(trimming_, true)) scope_.Spawn(ProposeTrim(group, *trim));
}

Task<void> Coordinator::ProposeForget(GroupPtr group, std::vector<TransactionId> ids) {
  std::sort(ids.begin(), ids.end());
  const absl::Status done =
      (co_await group->Propose(EncodeCommand(Forget{ids}), Timestamp::Min())).status();
  // The next leader tells the participants again.
  if (!done.ok() && participant_.ballot()) sender_.GiveBack(std::move(ids));
}

Task<void> Coordinator::ProposeTrim(GroupPtr group, Trim trim) {
  (co_await group->Propose(EncodeCommand(trim), Timestamp::Min())).IgnoreError();
  trimming_ = false;
}

// --- A commit ---

Task<absl::StatusOr<proto::CommitReply>> Coordinator::Commit(GroupPtr group,
                                                             proto::CommitRequest request) {
  const TransactionId id = wire::Decode(request.id());
  CO_ASSIGN_OR_RETURN(const std::optional<Outcome> known, MachineOf(group).OutcomeOf(id));
  proto::CommitReply reply;
  if (known && known->committed) {
    reply.set_timestamp(known->committed->nanoseconds());
    co_return reply;
  }
  if (known) co_return Refuse(Refusal::Kind::kAborted, known->why);
  if (MachineOf(group).TooOld(id)) {
    co_return Refuse(Refusal::Kind::kTooOld, "it began too long ago to commit");
  }
  CO_ASSIGN_OR_RETURN(const CommitmentPtr commit, BeginCommit(group, std::move(request)));
  if (const absl::Status waited = co_await commit->done.Wait(); !waited.ok()) {
    // It goes on.
    co_return Refuse(Refusal::Kind::kUnknown, waited.message());
  }
  CO_RETURN_IF_ERROR(commit->result.status());
  reply.set_timestamp(commit->result->nanoseconds());
  *reply.mutable_times() = commit->times;
  co_return reply;
}

absl::StatusOr<Coordinator::CommitmentPtr> Coordinator::BeginCommit(const GroupPtr& group,
                                                                    proto::CommitRequest request) {
  const Attempt attempt = AttemptOf(request);
  RETURN_IF_ERROR(participant_.Enter(group, attempt));
  CommitmentPtr& commit = commits_[attempt.id];
  if (commit == nullptr) commit = std::make_shared<Commitment>();
  if (std::exchange(commit->asked, true)) return commit;
  const CommitmentPtr begun = commit;
  const auto refuse = [&](Refusal::Kind kind, absl::string_view why) {
    commits_.erase(attempt.id);
    return Refuse(kind, why);
  };
  const size_t commits_max = context_.options.coordinator.commits_max;
  if (commits_.size() > commits_max || sender_.size() > commits_max) {
    return refuse(Refusal::Kind::kOverloaded,
                  absl::StrCat("group ", group_.value(), " has too many commits under way"));
  }
  absl::StatusOr<std::vector<Write>> writes = wire::Decode(request.mutable_writes());
  absl::StatusOr<std::vector<Lock>> locks = wire::Decode(request.locks());
  absl::StatusOr<std::vector<GroupId>> writers = wire::Decode(request.writers());
  absl::StatusOr<std::vector<GroupId>> readers = wire::Decode(request.readers());
  const bool readable = writes.ok() && locks.ok() && writers.ok() && readers.ok();
  const auto names_this = [this](const std::vector<GroupId>& groups) {
    return std::find(groups.begin(), groups.end(), group_) != groups.end();
  };
  if (!readable || writes->empty() || names_this(*writers) || names_this(*readers))
    return refuse(Refusal::Kind::kInvalid, "no such commit");
  // A transaction that waits for a lock must not be prepared elsewhere.
  if (!locks->empty() && !(writers->empty() && readers->empty())) {
    return refuse(Refusal::Kind::kInvalid, "locks are to be taken before a commit over groups");
  }
  begun->attempt = attempt;
  begun->ballot = *participant_.ballot();
  begun->writes = *std::move(writes);
  begun->locks = *std::move(locks);
  begun->wait_max = Duration(request.wait_max());
  begun->writers = *std::move(writers);
  begun->readers = *std::move(readers);
  // It goes on when the gateway has gone.
  scope_.Spawn(RunCommit(group, begun));
  return begun;
}

Task<void> Coordinator::RunCommit(GroupPtr group, CommitmentPtr commit) {
  const TransactionId id = commit->attempt.id;
  absl::StatusOr<Timestamp> result = co_await Decide(group, commit);
  if (!result.ok()) {
    const Refusal refusal = Translate(result.status());
    const bool certain = refusal.kind != Refusal::Kind::kUnknown;
    if (certain && !commit->writers.empty()) {
      // Those that are prepared hear of it soon, or ask.
      (co_await LogAbort(group, id, refusal.why, commit->writers)).IgnoreError();
    }
    if (certain && participant_.ballot() == commit->ballot) participant_.GiveUp(id, refusal.why);
    result = ToStatus(refusal);
  }
  const auto found = commits_.find(id);
  if (found != commits_.end() && found->second == commit) commits_.erase(found);
  commit->result = std::move(result);
  commit->done.Set();
}

Task<absl::StatusOr<Timestamp>> Coordinator::Decide(GroupPtr group, CommitmentPtr commit) {
  const MonotonicTime begin = Now();
  CO_RETURN_IF_ERROR(
      (co_await participant_.TakeLocks(group, commit->attempt, commit->locks, commit->wait_max))
          .status());
  const MonotonicTime locked = Now();
  if (participant_.ballot() != commit->ballot) {
    co_return Refuse(Refusal::Kind::kAborted,
                     absl::StrCat("group ", group_.value(), " changed its leader"));
  }
  CO_RETURN_IF_ERROR(participant_.BeginCommit(commit->attempt.id, commit->writes));
  CO_RETURN_IF_ERROR(co_await AwaitReports(commit));
  const MonotonicTime reported = Now();
  absl::StatusOr<Timestamp> committed = co_await LogDecision(group, commit);
  commit->times.set_locks((locked - begin).count());
  commit->times.set_reports((reported - locked).count());
  commit->times.set_replication((Now() - reported).count());
  co_return committed;
}

Task<absl::Status> Coordinator::AwaitReports(CommitmentPtr commit) {
  const MonotonicTime end = Now() + context_.options.coordinator.reports_max;
  while (!commit->refused && !commit->Complete()) {
    if (Now() >= end) {
      commit->refused =
          absl::StrCat("a participant did not prepare within ",
                       runtime::FormatDuration(context_.options.coordinator.reports_max));
      break;
    }
    CO_RETURN_IF_ERROR(co_await commit->changed.Wait(end));
  }
  if (commit->refused) co_return Refuse(Refusal::Kind::kAborted, *commit->refused);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Timestamp>> Coordinator::LogDecision(GroupPtr group, CommitmentPtr commit) {
  // TX-COMMIT-TS: taken after the request came; above what was prepared and what was read.
  CO_ASSIGN_OR_RETURN(Timestamp at_least, context_.NowLatest());
  Timestamp valid_through = Timestamp::Max();
  Timestamp prepared_at_most = Timestamp::Min();
  for (const auto& [participant, told] : commit->reports) {
    at_least = std::max(at_least, told.timestamp);
    valid_through = std::min(valid_through, told.guarded_until);
    prepared_at_most = std::max(prepared_at_most, told.timestamp);
  }
  // TX-READ-GUARD. The replicas check it again: the timestamp may come out later.
  if (at_least > valid_through) {
    co_return Refuse(Refusal::Kind::kAborted,
                     "it took so long to commit that what it read is not guarded any more");
  }
  std::string command;
  if (commit->writers.empty()) {
    command = EncodeCommand(txn::Commit{.id = commit->attempt.id,
                                        .writes = std::move(commit->writes),
                                        .valid_through = valid_through});
  } else {
    command = EncodeCommand(txn::Decide{.id = commit->attempt.id,
                                        .participants = commit->writers,
                                        .writes = std::move(commit->writes),
                                        .valid_through = valid_through,
                                        .prepared_at_most = prepared_at_most});
  }
  commit->decided = true;
  const absl::StatusOr<paxos::Proposed> proposed = co_await group->Propose(
      std::move(command), at_least, paxos::Until::kApplied, participant_.Epoch(commit->ballot));
  if (!proposed.ok()) {
    const Refusal refusal = Translate(proposed.status());
    if (refusal.kind != Refusal::Kind::kNotLeader) co_return ToStatus(refusal);
    // Something else stands where it would have been: it never commits.
    co_return Refuse(Refusal::Kind::kAborted,
                     absl::StrCat("group ", group_.value(), " changed its leader as it committed"));
  }
  CO_ASSIGN_OR_RETURN(const CommandResult result, ResultOf(group, proposed->slot));
  switch (result.kind) {
    case CommandResult::Kind::kCommitted:
      co_return result.timestamp;
    case CommandResult::Kind::kTooOld:
      co_return Refuse(Refusal::Kind::kTooOld, "it began too long ago to commit");
    case CommandResult::Kind::kWrongRange:
      co_return Refuse(Refusal::Kind::kAborted, absl::StrCat("group ", group_.value(),
                                                             " does not have all of these keys any "
                                                             "more: the shard was split"));
    default:
      co_return Refuse(Refusal::Kind::kAborted, result.why);
  }
}

Task<absl::StatusOr<Outcome>> Coordinator::LogAbort(GroupPtr group, TransactionId id,
                                                    std::string why,
                                                    std::vector<GroupId> participants) {
  Abort abort{.id = id, .why = std::move(why), .participants = std::move(participants)};
  CO_ASSIGN_OR_RETURN(const paxos::Proposed proposed,
                      co_await group->Propose(EncodeCommand(std::move(abort)), Timestamp::Min()));
  CO_ASSIGN_OR_RETURN(const CommandResult result, ResultOf(group, proposed.slot));
  switch (result.kind) {
    case CommandResult::Kind::kTooOld:
      co_return Refuse(Refusal::Kind::kTooOld,
                       "it began so long ago that its outcome is not known any more");
    case CommandResult::Kind::kPrepared:
      co_return Refuse(Refusal::Kind::kInvalid,
                       absl::StrCat("group ", group_.value(), " does not decide about it"));
    default:
      co_return OutcomeOf(result);
  }
}

// --- Reports, and outcomes ---

Task<absl::StatusOr<proto::ReportReply>> Coordinator::Report(GroupPtr group,
                                                             proto::ReportRequest request) {
  const TransactionId id = wire::Decode(request.id());
  CO_ASSIGN_OR_RETURN(std::optional<Outcome> outcome, MachineOf(group).OutcomeOf(id));
  proto::ReportReply reply;
  const bool open = participant_.ballot() && participant_.IsOpen(id);
  if (!outcome && request.in_doubt() && !open) {
    // Nobody is committing it here, and nobody will (TX-2PC).
    CO_ASSIGN_OR_RETURN(outcome, co_await OutcomeFor(group, id, ""));
  }
  if (outcome) {
    wire::Encode(*outcome, reply.mutable_outcome());
    co_return reply;
  }
  if (request.in_doubt() || !open) co_return reply;
  CommitmentPtr& commit = commits_[id];
  if (commit == nullptr) commit = std::make_shared<Commitment>();
  if (request.refused().empty()) {
    commit->reports[GroupId(request.participant())] = {
        .timestamp = Timestamp(request.timestamp()),
        .guarded_until = Timestamp(request.guarded_until())};
  } else {
    commit->refused = request.refused();
  }
  commit->changed.Raise();
  co_return reply;
}

Task<absl::StatusOr<proto::ConcludeReply>> Coordinator::Conclude(GroupPtr group,
                                                                 proto::ConcludeRequest request) {
  const TransactionId id = wire::Decode(request.id());
  CO_ASSIGN_OR_RETURN(const Outcome outcome,
                      co_await OutcomeFor(group, id, std::move(*request.mutable_give_up())));
  proto::ConcludeReply reply;
  wire::Encode(outcome, reply.mutable_outcome());
  co_return reply;
}

Task<absl::StatusOr<Outcome>> Coordinator::OutcomeFor(GroupPtr group, TransactionId id,
                                                      std::string give_up) {
  CO_ASSIGN_OR_RETURN(std::optional<Outcome> known, MachineOf(group).OutcomeOf(id));
  if (known) co_return *std::move(known);
  if (const auto found = commits_.find(id); found != commits_.end() && found->second->asked) {
    const CommitmentPtr commit = found->second;
    if (!give_up.empty() && !commit->decided) {
      if (!commit->refused) commit->refused = give_up;
      commit->changed.Raise();
    }
    CO_RETURN_IF_ERROR(co_await commit->done.Wait());
    if (commit->result.ok()) co_return Outcome::Committed(*commit->result);
    // An abort may not be in the log; then it is now, so that it stays the answer.
    give_up = std::string(commit->result.status().message());
  }
  if (give_up.empty()) give_up = "nobody was committing it when its outcome was asked for";
  co_return co_await LogAbort(std::move(group), id, std::move(give_up), {});
}

}  // namespace txn
