// ShardModel: what a shard is, told plainly: all outcomes in one map, nothing on disk, no batches.
// Beside it ShardState is walked.
#ifndef TESTS_TXN_SHARD_MODEL_H_
#define TESTS_TXN_SHARD_MODEL_H_

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "txn/commands.h"

namespace txn {

class ShardModel {
 public:
  explicit ShardModel(ShardDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  CommandResult Apply(const ShardCommand& command, Timestamp t) {
    return std::visit([&](const auto& one) { return Do(one, t); }, command);
  }

  std::map<TransactionId, Outcome> outcomes;
  std::map<TransactionId, std::vector<GroupId>> waiting;
  std::map<TransactionId, PreparedTransaction> prepared;
  std::map<Key, std::map<Timestamp, std::optional<std::string>>> rows;
  Timestamp forgotten_before = Timestamp::Min();

  bool TooOld(const TransactionId& id) const { return id.begun < forgotten_before; }
  // Whether a prepared transaction writes it.
  bool IsPrepared(const Key& key) const;

 private:
  CommandResult Do(const Commit& commit, Timestamp t);
  CommandResult Do(const Prepare& prepare, Timestamp t);
  CommandResult Do(const Decide& decide, Timestamp t);
  CommandResult Do(const Abort& abort, Timestamp t);
  CommandResult Do(const Resolve& resolve, Timestamp t);
  CommandResult Do(const Forget& forget, Timestamp t);
  CommandResult Do(const Trim& trim, Timestamp t);

  std::optional<CommandResult> Known(const TransactionId& id) const;
  bool Outside(const std::vector<Write>& writes) const;
  CommandResult Refuse() const;
  void WriteAll(const std::vector<Write>& writes, Timestamp s);

  const ShardDescriptor descriptor_;
};

}  // namespace txn

#endif  // TESTS_TXN_SHARD_MODEL_H_
