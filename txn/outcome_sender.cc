#include "txn/outcome_sender.h"

#include <utility>

#include "runtime/executor.h"
#include "runtime/sleep.h"
#include "txn/calls.h"
#include "txn/wire.h"

namespace txn {

using storage::GroupId;

void OutcomeSender::End() {
  ++lead_;
  queues_.clear();
  missing_.clear();
  delivered_.clear();
}

void OutcomeSender::Add(const TransactionId& id, const Outcome& outcome,
                        const std::vector<GroupId>& participants) {
  if (!missing_.try_emplace(id, participants.begin(), participants.end()).second) return;
  for (const GroupId participant : participants) {
    Queue& queue = queues_[participant];
    queue.outcomes.emplace(id, outcome);
    if (!std::exchange(queue.sending, true)) scope_.Spawn(Send(participant, lead_));
  }
}

runtime::Task<void> OutcomeSender::Send(GroupId participant, uint64_t lead) {
  const CoordinatorOptions& options = context_.options.coordinator;
  while (lead == lead_ && !queues_[participant].outcomes.empty()) {
    proto::ResolveRequest request;
    std::vector<TransactionId> ids;
    for (const auto& [id, outcome] : queues_[participant].outcomes) {
      if (ids.size() == options.outcomes_per_message) break;
      ids.push_back(id);
      proto::ResolveRequest::One& one = *request.add_outcomes();
      wire::Encode(id, one.mutable_id());
      wire::Encode(outcome, one.mutable_outcome());
    }
    const absl::StatusOr<proto::ResolveReply> reply = co_await context_.caller.Call(
        kResolve, participant, std::move(request),
        runtime::Executor::Current().Now() + 2 * context_.options.calls.attempt_max);
    if (lead != lead_) co_return;
    if (reply.ok()) {
      Delivered(participant, ids);
    } else if (!(co_await runtime::SleepFor(options.resolve_pause)).ok()) {
      co_return;
    }
  }
  if (lead == lead_) queues_.erase(participant);
}

void OutcomeSender::Delivered(GroupId participant, const std::vector<TransactionId>& ids) {
  for (const TransactionId& id : ids) {
    queues_[participant].outcomes.erase(id);
    const auto missing = missing_.find(id);
    missing->second.erase(participant);
    if (!missing->second.empty()) continue;
    missing_.erase(missing);
    delivered_.push_back(id);
  }
}

void OutcomeSender::GiveBack(std::vector<TransactionId> delivered) {
  delivered_.insert(delivered_.end(), delivered.begin(), delivered.end());
}

}  // namespace txn
