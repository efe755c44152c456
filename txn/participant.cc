#include "txn/participant.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/errors.h"
#include "runtime/check.h"
#include "runtime/executor.h"
#include "runtime/experiments.h"
#include "runtime/format.h"
#include "runtime/status_macros.h"
#include "txn/call_parts.h"
#include "txn/errors.h"

namespace txn {

namespace proto = ::isochron::txn;

using paxos::Ballot;
using runtime::Duration;
using runtime::Task;
using runtime::Timestamp;
using storage::GroupId;

namespace {

MonotonicTime Now() { return runtime::Executor::Current().Now(); }

LockTableOptions TableOptions(const ShardContext& context) {
  LockTableOptions options = context.options.participant.locks;
  options.without.wound_wait = context.world.experiments().Without("TX-LOCKS");
  return options;
}

}  // namespace

Participant::Participant(const ShardContext* context, GroupId group, runtime::TaskScope* scope)
    : context_(*context),
      group_(group),
      scope_(*scope),
      checks_epoch_(!context->world.experiments().Without("TX-EPOCH")),
      locks_(group, TableOptions(*context), context->options.participant.print_keys) {}

// --- The lead ---

void Participant::Begin(Ballot ballot,
                        const std::map<TransactionId, PreparedTable::Entry>& prepared) {
  End();
  locks_.Begin(ballot, prepared);
  for (const auto& [id, entry] : prepared) {
    open_.emplace(id, Open{.heard_at = Now(), .committing = true});
  }
}

void Participant::End() {
  locks_.End();
  open_.clear();
  ended_.clear();
  ended_order_.clear();
  doubts_.clear();
}

void Participant::HasEnded(const Ended& ended) {
  doubts_.erase(ended.id);
  if (!locks_.ballot()) return;
  Remember(ended.id, ended.outcome.committed ? "it has committed" : ended.outcome.why);
  open_.erase(ended.id);
  locks_.Release(ended.id);
}

void Participant::GiveUp(const TransactionId& id, const std::string& why) {
  if (!locks_.ballot()) return;
  Remember(id, why);
  open_.erase(id);
  locks_.Release(id);
}

void Participant::Remember(const TransactionId& id, const std::string& why) {
  if (!ended_.try_emplace(id, why).second) return;
  ended_order_.push_back(id);
  while (ended_order_.size() > context_.options.participant.ended_max) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
}

// --- Asked by gateways ---

absl::Status Participant::NotLeading(const GroupPtr& group) const {
  std::optional<runtime::NodeId> leader = group->leader_node();
  if (leader == context_.world.node()) leader.reset();
  return ToStatus(Translate(paxos::NotLeader(group_, leader)));
}

absl::Status Participant::Enter(const GroupPtr& group, const Attempt& attempt) {
  if (!group->leading()) {
    // A lease that is late may still be renewed.
    if (locks_.ballot()) return Refuse(Refusal::Kind::kNotNow, "the lease is being renewed");
    return NotLeading(group);
  }
  const std::string name = ToText(attempt.id);
  if (const auto ended = ended_.find(attempt.id); ended != ended_.end()) {
    return Refuse(Refusal::Kind::kAborted,
                  absl::StrCat("transaction ", name, " has ended: ", ended->second));
  }
  // TX-EPOCH: locks live in one ballot.
  if (checks_epoch_ && attempt.ballot && attempt.ballot != locks_.ballot()) {
    return Refuse(Refusal::Kind::kAborted,
                  absl::StrCat("group ", group_.value(), " changed its leader, and transaction ",
                               name, " lost the locks that it held there"));
  }
  RETURN_IF_ERROR(locks_.CheckNotWounded(attempt.id));
  const auto found = open_.find(attempt.id);
  if (found != open_.end()) {
    found->second.heard_at = Now();
    return absl::OkStatus();
  }
  if (checks_epoch_ && attempt.ballot) {
    return Refuse(Refusal::Kind::kAborted,
                  absl::StrCat("transaction ", name, " holds no locks in group ", group_.value(),
                               " any more"));
  }
  if (open_.size() >= context_.options.participant.transactions_max) {
    return Refuse(Refusal::Kind::kOverloaded,
                  absl::StrCat("group ", group_.value(), " has ", open_.size(),
                               " open transactions, and takes no more"));
  }
  open_.emplace(attempt.id, Open{.heard_at = Now()});
  return absl::OkStatus();
}

absl::Status Participant::CheckInShard(const GroupPtr& group,
                                       const std::vector<Lock>& locks) const {
  const ShardDescriptor& shard = MachineOf(group).descriptor();
  for (const Lock& lock : locks) {
    if (!shard.range.Contains(lock.range)) return NotInShard(group_, lock.range, shard);
  }
  return absl::OkStatus();
}

Task<absl::StatusOr<Duration>> Participant::TakeLocks(GroupPtr group, Attempt attempt,
                                                      std::vector<Lock> locks, Duration wait_max) {
  CO_RETURN_IF_ERROR(CheckInShard(group, locks));
  if (locks.empty()) co_return Duration(0);
  co_return co_await locks_.Acquire(attempt.id, attempt.age, std::move(locks), wait_max);
}

Task<absl::StatusOr<proto::AccessReply>> Participant::Access(GroupPtr group,
                                                             proto::AccessRequest request) {
  const Attempt attempt = AttemptOf(request);
  CO_ASSIGN_OR_RETURN(std::vector<Lock> locks, wire::Decode(request.locks()));
  CO_ASSIGN_OR_RETURN(RowsWanted wanted, wire::TakeWanted(&request));
  CO_RETURN_IF_ERROR(Enter(group, attempt));
  const Ballot ballot = *locks_.ballot();
  proto::AccessReply reply;
  wire::Encode(ballot, reply.mutable_ballot());
  CO_ASSIGN_OR_RETURN(const Duration waited, co_await TakeLocks(group, attempt, std::move(locks),
                                                                Duration(request.wait_max())));
  reply.set_lock_wait(waited.count());
  if (!wanted.empty()) {
    CO_ASSIGN_OR_RETURN(RowsFound found, co_await Read(group, attempt.id, std::move(wanted)));
    wire::SetFound(std::move(found), &reply);
  }
  // PX-STALL: after the last wait. Locks that went meanwhile are noticed at the latest when it
  // commits.
  CO_RETURN_IF_ERROR(group->CheckLease(ballot));
  if (const auto open = open_.find(attempt.id); open != open_.end()) open->second.heard_at = Now();
  co_return reply;
}

Task<absl::StatusOr<RowsFound>> Participant::Read(GroupPtr group, TransactionId id,
                                                  RowsWanted wanted) {
  const std::vector<KeyRange> ranges = wanted.ranges();
  for (const KeyRange& range : ranges) {
    if (locks_.Holds(id, {range, LockMode::kShared})) continue;
    CO_RETURN_IF_ERROR(locks_.CheckNotWounded(id));
    co_return Refuse(Refusal::Kind::kInvalid,
                     absl::StrCat(PrintKeys(range), " is to be read and is not locked"));
  }
  CO_ASSIGN_OR_RETURN(ShardRead read, MachineOf(group).NewLockedRead(ranges));
  co_return co_await ReadRows(&context_.world.blocking(), std::move(read), std::move(wanted));
}

absl::Status Participant::Release(const GroupPtr& group, const TransactionId& id) {
  if (!locks_.ballot()) return NotLeading(group);
  const auto found = open_.find(id);
  // Its coordinator's outcome ends it; a reader has no other.
  if (found != open_.end() && found->second.committing && !found->second.guarded_until) {
    return absl::OkStatus();
  }
  GiveUp(id, "its gateway has ended it");
  return absl::OkStatus();
}

// --- Now and then ---

void Participant::LookAround(const GroupPtr& group) {
  if (!locks_.ballot()) return;
  const MonotonicTime now = Now();
  const ParticipantOptions& options = context_.options.participant;
  std::vector<std::pair<TransactionId, std::string>> over;
  for (const auto& [id, open] : open_) {
    if (open.guarded_until && context_.truetime.After(*open.guarded_until)) {
      over.emplace_back(id, "its read locks were guarded for long enough");
    } else if (!open.committing && now - open.heard_at > options.silence_max) {
      over.emplace_back(id, absl::StrCat("nothing was heard of it for ",
                                         runtime::FormatDuration(now - open.heard_at)));
    }
  }
  for (const auto& [id, why] : over) GiveUp(id, why);
  for (const auto& [id, prepared] : MachineOf(group).prepared().entries()) {
    Doubt& doubt =
        doubts_.try_emplace(id, Doubt{.ask_at = now + options.inquire_after}).first->second;
    if (doubt.asking || now < doubt.ask_at) continue;
    doubt.asking = true;
    scope_.Spawn(Inquire(group, id, prepared->coordinator));
  }
}

}  // namespace txn
