// OutcomeSender: brings outcomes to the participants, for the coordinator's group (TX-2PC).
//
// Place:       a part of each replica's Shard; it works while the replica leads. The group's log
//              knows whom outcomes still have to reach: a new leader begins with all of those.
// Batches:     to each participant goes one message at a time, with all that has come together.
// Ends:        what all participants have is to be forgotten: TakeDelivered(), and then a Forget in
//              the log.
// Concurrency: one loop.
#ifndef TXN_OUTCOME_SENDER_H_
#define TXN_OUTCOME_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/ids.h"
#include "txn/kernel/outcomes.h"
#include "txn/shard_context.h"

namespace txn {

class OutcomeSender {
 public:
  // Both outlive it. Its tasks run in `scope`.
  OutcomeSender(const ShardContext* context, runtime::TaskScope* scope)
      : context_(*context), scope_(*scope) {}

  // A new lead: forgets everything.
  void Begin() { End(); }
  void End();
  // Once for each transaction in a lead.
  void Add(const TransactionId& id, const Outcome& outcome,
           const std::vector<storage::GroupId>& participants);
  // Those that all their participants have.
  std::vector<TransactionId> TakeDelivered() { return std::exchange(delivered_, {}); }
  // They could not be forgotten now.
  void GiveBack(std::vector<TransactionId> delivered);

  // How many outcomes are on their way.
  size_t size() const { return missing_.size(); }

 private:
  struct Queue {
    std::map<TransactionId, Outcome> outcomes;
    bool sending = false;
  };

  runtime::Task<void> Send(storage::GroupId participant, uint64_t lead);
  void Delivered(storage::GroupId participant, const std::vector<TransactionId>& ids);

  const ShardContext& context_;
  runtime::TaskScope& scope_;
  uint64_t lead_ = 0;  // Counts them: what was sent in an earlier one is nobody's affair any more.
  std::map<storage::GroupId, Queue> queues_;
  std::map<TransactionId, std::set<storage::GroupId>> missing_;
  std::vector<TransactionId> delivered_;
};

}  // namespace txn

#endif  // TXN_OUTCOME_SENDER_H_
