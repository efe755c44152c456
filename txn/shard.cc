#include "txn/shard.h"

#include <utility>
#include <vector>

#include "runtime/executor.h"
#include "runtime/status_macros.h"
#include "runtime/when.h"
#include "txn/wire.h"

namespace txn {

Shard::Shard(const ShardContext* context, storage::GroupId group)
    : context_(*context),
      scope_(runtime::Executor::Current()),
      participant_(context, group, &scope_),
      coordinator_(context, group, &participant_, &scope_) {}

void Shard::LookAround(const GroupPtr& group) {
  participant_.LookAround(group);
  coordinator_.LookAround(group);
}

runtime::Task<absl::Status> Shard::Resolve(GroupPtr group, isochron::txn::ResolveRequest request) {
  std::vector<runtime::Task<absl::Status>> resolving;
  for (const isochron::txn::ResolveRequest::One& one : request.outcomes()) {
    resolving.push_back(Participant::Resolve(&context_, group, wire::Decode(one.id()),
                                             wire::Decode(one.outcome())));
  }
  for (const absl::Status& resolved : co_await runtime::WhenAll(std::move(resolving))) {
    CO_RETURN_IF_ERROR(resolved);
  }
  co_return absl::OkStatus();
}

void Shard::HasEnded(const Ended& ended) {
  participant_.HasEnded(ended);
  if (participant_.ballot()) coordinator_.HasEnded(ended, *machine_);
}

void Shard::LeadershipGained(paxos::Ballot ballot) {
  participant_.Begin(ballot, machine_->prepared().entries());
  coordinator_.Begin(machine_);
}

void Shard::LeadershipLost(paxos::Ballot) {
  participant_.End();
  coordinator_.End();
}

}  // namespace txn
