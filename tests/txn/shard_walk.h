// ShardWalk: two replicas of a shard and its plain model, given the same random commands: late,
// repeated, in any order that the rules allow. The replicas take them in batches of their own, and
// begin anew from their stores now and then, one of them after crashes. One seed, one walk.
#ifndef TESTS_TXN_SHARD_WALK_H_
#define TESTS_TXN_SHARD_WALK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "tests/txn/shard_model.h"
#include "tests/txn/shard_replica.h"

namespace txn {

class ShardWalk {
 public:
  explicit ShardWalk(uint64_t seed);

  // What went wrong, and in which step; empty if nothing did.
  std::string Run(int steps);

  // How many commands came to something new.
  int committed = 0;
  int aborted = 0;
  int prepared = 0;
  int forgotten = 0;

 private:
  struct Replica {
    ShardReplica shard;
    // What the model says of its next commands.
    std::vector<CommandResult> expected;
  };

  ShardCommand SomeCommand();
  ShardCommand SomeResolve();
  TransactionId SomeId();
  // Of keys that nobody has prepared, mostly in the range.
  std::vector<Write> SomeWrites();
  std::vector<GroupId> SomeGroups();
  // Around the next entry's.
  Timestamp SomeTime();

  // Lets a replica apply some of what it has not.
  std::string Apply(Replica* replica, size_t count);
  // Whether a replica that has applied all is as the model says.
  std::string Compare(Replica* replica);
  std::string CompareRows(Replica* replica);

  runtime::Random random_;
  const ShardDescriptor descriptor_;
  ShardModel model_;
  Replica first_;
  Replica second_;
  std::vector<TransactionId> ids_;
  Timestamp now_{1000};
};

}  // namespace txn

#endif  // TESTS_TXN_SHARD_WALK_H_
