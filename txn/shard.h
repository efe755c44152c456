// Shard: what one replica of a shard's group does for transactions, beside its state machine: the
// participant and the coordinator, and what they hear of the group.
//
// Place:       made with the group's ShardMachine, which tells it what happens; owned by the
//              ShardServer, which hands it what is asked for.
// Ends:        Stop() ends its work; idle() says when nothing is left of it.
// Concurrency: one loop.
#ifndef TXN_SHARD_H_
#define TXN_SHARD_H_

#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "txn/coordinator.h"
#include "txn/participant.h"
#include "txn/service.pb.h"
#include "txn/shard_context.h"
#include "txn/shard_machine.h"

namespace txn {

class Shard final : public ShardListener {
 public:
  // `context` outlives it.
  Shard(const ShardContext* context, storage::GroupId group);

  // Whose listener it is; before anything happens to it.
  void SetMachine(ShardMachine* machine) { machine_ = machine; }
  void Stop() { scope_.Cancel(); }
  runtime::Task<void> Join() { co_await scope_.Close(); }
  bool idle() const { return scope_.size() == 0; }

  Participant& participant() { return participant_; }
  Coordinator& coordinator() { return coordinator_; }
  // What is to be done now and then.
  void LookAround(const GroupPtr& group);
  // Applies outcomes of other coordinators; ends when all can be read.
  runtime::Task<absl::Status> Resolve(GroupPtr group, isochron::txn::ResolveRequest request);

  // ShardListener.
  void Prepared(const PreparedTransaction&) override {}
  void HasEnded(const Ended& ended) override;
  void LeadershipGained(paxos::Ballot ballot) override;
  void LeadershipLost(paxos::Ballot ballot) override;
  void RangeChanged(const ShardDescriptor&) override {}

 private:
  const ShardContext& context_;
  runtime::TaskScope scope_;
  Participant participant_;
  Coordinator coordinator_;
  ShardMachine* machine_ = nullptr;  // Good within its calls.
};

}  // namespace txn

#endif  // TXN_SHARD_H_
