// ShardCluster: one shard on simulated nodes, each with a clock of a given width and a host of Paxos
// groups. Everywhere it is watched that nothing is shown before its time (TX-COMMIT-WAIT).
#ifndef TESTS_TXN_SHARD_CLUSTER_H_
#define TESTS_TXN_SHARD_CLUSTER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "paxos/host.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"
#include "truetime/truetime.h"
#include "txn/shard_machine.h"

namespace txn {

inline constexpr storage::GroupId kShardGroup{1};

// What a node's shard told.
class ShardWitness final : public ShardListener {
 public:
  explicit ShardWitness(simulated::Universe* universe) : universe_(*universe) {}

  void Prepared(const PreparedTransaction& one) override { prepared.push_back(one.id); }
  void HasEnded(const Ended& one) override;
  void LeadershipGained(paxos::Ballot) override { leads = true; }
  void LeadershipLost(paxos::Ballot) override { leads = false; }
  void RangeChanged(const ShardDescriptor& changed) override { descriptor = changed; }

  std::vector<TransactionId> prepared;
  // When it was shown that they had ended.
  std::map<TransactionId, Timestamp> ended;
  bool leads = false;
  ShardDescriptor descriptor;

 private:
  simulated::Universe& universe_;
};

struct ShardClusterOptions {
  simulated::UniverseOptions universe = {};
  runtime::Duration epsilon = std::chrono::milliseconds(1);
  paxos::HostOptions host = {};
  ShardOptions shard = {};
  ShardDescriptor founding = {.range = {"a", "z"}, .generation = 1};
};

class ShardNode final : public simulated::NodeProgram {
 public:
  ShardNode(simulated::Universe* universe, simulated::NodeWorld* world,
            const ShardClusterOptions* options, bool founder);
  ~ShardNode() override;

  // Null while it is not open.
  paxos::Host* host() { return host_.get(); }
  std::shared_ptr<paxos::Group> group();
  truetime::TrueTime& truetime() { return truetime_; }
  ShardWitness& witness() { return witness_; }
  runtime::TaskScope& scope() { return scope_; }

 private:
  runtime::Task<void> Main();

  simulated::NodeWorld& world_;
  const ShardClusterOptions& options_;
  const bool founder_;
  truetime::TrueTime truetime_;
  ShardWitness witness_;
  std::unique_ptr<paxos::Host> host_;
  runtime::TaskScope scope_;
};

class ShardCluster {
 public:
  // Nodes 1 to 4, of which the first three have the shard.
  explicit ShardCluster(uint64_t seed, ShardClusterOptions options = {});

  simulated::Universe& universe() { return universe_; }
  simulated::NodeWorld& world(int node) {
    return universe_.node(runtime::NodeId(static_cast<uint32_t>(node)));
  }
  ShardNode* program(int node) { return static_cast<ShardNode*>(world(node).program()); }
  std::shared_ptr<paxos::Group> group(int node);
  ShardMachine& machine(int node);
  bool RunUntil(const std::function<bool()>& condition);
  void RunFor(runtime::Duration length) { universe_.RunFor(length); }

  int AwaitLeader();
  // Proposes at the leader, again until it is known what came of it.
  CommandResult Do(const ShardCommand& command, Timestamp at_least = Timestamp::Min());
  // Proposes at a node, and does not wait.
  void Begin(int node, const ShardCommand& command) { BeginRaw(node, EncodeCommand(command)); }
  void BeginRaw(int node, std::string command);
  // A row at a timestamp, by a replica that waits until that is safe.
  absl::StatusOr<std::string> Read(int node, const Key& key, Timestamp at);
  // All rows and the state of the group at a node.
  std::string Contents(int node);
  // Runs until these nodes have applied all that is chosen.
  bool AwaitApplied(const std::vector<int>& nodes);
  // The result of a task on a node; none if it went down.
  template <typename T>
  std::optional<T> Await(int node, runtime::Task<T> task);

 private:
  const ShardClusterOptions options_;
  simulated::Universe universe_;
};

template <typename T>
runtime::Task<void> StoreInto(runtime::Task<T> task, std::shared_ptr<std::optional<T>> result) {
  result->emplace(co_await std::move(task));
}

template <typename T>
std::optional<T> ShardCluster::Await(int node, runtime::Task<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  program(node)->scope().Spawn(StoreInto(std::move(task), result));
  const uint64_t incarnation = world(node).incarnation();
  RunUntil([&] {
    return result->has_value() || !world(node).running() ||
           world(node).incarnation() != incarnation;
  });
  return *result;
}

}  // namespace txn

#endif  // TESTS_TXN_SHARD_CLUSTER_H_
