// ShardReplica: a shard's state and its rows on a simulated machine with a store, fed with commands
// by hand: in batches of any size, with restarts in between. It has the log that a group would have.
#ifndef TESTS_TXN_SHARD_REPLICA_H_
#define TESTS_TXN_SHARD_REPLICA_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/storage/store_rig.h"
#include "txn/commands.h"
#include "txn/shard_state.h"

namespace txn {

inline TransactionId IdOf(int64_t begun, uint64_t sequence = 0) {
  return {Timestamp(begun), NodeId(1), sequence};
}

class ShardReplica {
 public:
  ShardReplica(uint64_t seed, ShardDescriptor founding, size_t recent_outcomes_max = 1000);

  // Adds a command to the log, without applying it.
  void Choose(const ShardCommand& command, Timestamp t);
  // Applies the next so many commands of the log as one batch; what they came to.
  std::vector<CommandResult> ApplyNext(size_t count);
  // Both, with all that was chosen before.
  CommandResult Do(const ShardCommand& command, int64_t t);
  // What the last batch changed.
  const std::vector<ShardChange>& changes() const { return changes_; }

  // Reads the state anew from the store.
  void Restore();
  // Loses what the disk has not got, and begins anew with what the store has.
  void Crash();

  size_t applied() const { return applied_; }
  size_t chosen() const { return log_.size(); }
  ShardState& state() { return *state_; }
  storage::View NewView() { return rig_.NewView(); }
  std::optional<Outcome> OutcomeOf(const TransactionId& id);
  // The row of a key at a timestamp, "-" if there is none.
  std::string Read(const Key& key, int64_t at);
  // All rows with their versions and the whole state of the group, as text: equal for equal states.
  std::string Contents();

 private:
  struct Chosen {
    std::string command;
    Timestamp t;
  };

  const ShardDescriptor founding_;
  const size_t recent_outcomes_max_;
  storage::StoreRig rig_;
  std::vector<Chosen> log_;
  size_t applied_ = 0;
  std::unique_ptr<ShardState> state_;
  std::vector<ShardChange> changes_;
};

}  // namespace txn

#endif  // TESTS_TXN_SHARD_REPLICA_H_
