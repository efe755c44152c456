// Cluster: a few simulated nodes, each with a clock and a host of Paxos groups, for tests.
#ifndef TESTS_PAXOS_CLUSTER_H_
#define TESTS_PAXOS_CLUSTER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "paxos/host.h"
#include "runtime/deadline.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "truetime/truetime.h"

namespace paxos {

inline constexpr storage::GroupId kGroup{1};

// Registers: a command is "key=value". The value "late" is never due.
class RegisterMachine final : public StateMachine {
 public:
  explicit RegisterMachine(storage::GroupId group);

  // The key of a register in the store; "" is the first of all.
  std::string StoreKey(const std::string& key) const;

  storage::KeyRange range() const override;
  runtime::Task<absl::Status> Restored(storage::Store* store, Slot applied,
                                       Timestamp timestamp) override;
  bool Due(const Command& command) const override { return !command.bytes->ends_with("=late"); }
  runtime::Task<absl::Status> Apply(std::vector<Command> commands,
                                    storage::ApplyBatch* batch) override;
  void Applied(Slot slot, Timestamp) override { applied = slot; }
  void StateLost() override { ++states_lost; }
  void LeadershipGained(Ballot ballot) override;
  void LeadershipLost(Ballot ballot) override;

  Slot applied;
  std::vector<size_t> batches;  // How many commands each had.
  int states_lost = 0;
  std::optional<Ballot> leading;
  int leads = 0;

 private:
  const storage::GroupId group_;
};

class PaxosNode final : public simulated::NodeProgram {
 public:
  PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world, HostOptions options);
  ~PaxosNode() override;

  // Null while it is not open.
  Host* host() { return host_.get(); }
  std::shared_ptr<Group> group(storage::GroupId id = kGroup);
  // The registers, of any group, as the store has them.
  std::map<std::string, std::string> Registers(storage::GroupId id = kGroup);
  runtime::TaskScope& scope() { return scope_; }

 private:
  runtime::Task<void> Main();

  simulated::NodeWorld& world_;
  const HostOptions options_;
  truetime::TrueTime truetime_;
  std::unique_ptr<Host> host_;
  runtime::TaskScope scope_;
};

// A proposal, and a linearizable read, at `node`; to be run there, so that what they hold goes with
// it.
runtime::Task<absl::StatusOr<Proposed>> ProposeAt(PaxosNode* node, std::string command,
                                                  storage::GroupId id = kGroup);
runtime::Task<absl::StatusOr<std::string>> ReadAt(PaxosNode* node, std::string key,
                                                  storage::GroupId id = kGroup);

class Cluster {
 public:
  // Nodes 1 to `count`, open and synchronised.
  explicit Cluster(int count, uint64_t seed = 1, HostOptions options = {});

  // Makes the group on the first `voters` nodes.
  void CreateGroup(int voters, storage::GroupId id = kGroup);

  simulated::Universe& universe() { return universe_; }
  simulated::NodeWorld& world(int node) {
    return universe_.node(runtime::NodeId(static_cast<uint32_t>(node)));
  }
  PaxosNode* program(int node) { return static_cast<PaxosNode*>(world(node).program()); }
  std::shared_ptr<Group> group(int node, storage::GroupId id = kGroup);
  void RunFor(runtime::Duration length) { universe_.RunFor(length); }
  bool RunUntil(const std::function<bool()>& condition,
                runtime::Duration limit = std::chrono::seconds(30)) {
    return universe_.RunUntil(condition, limit);
  }

  // The node that leads and serves; 0 if none does.
  int Leader(storage::GroupId id = kGroup);
  // Runs until one leads. CHECKs that it comes to that.
  int AwaitLeader(storage::GroupId id = kGroup);
  // Runs until all of these nodes have applied what the leader has chosen, and hold equal registers.
  bool AwaitEqual(std::vector<int> nodes, storage::GroupId id = kGroup);

  // The replicas, for a failed test to print.
  std::string Describe(storage::GroupId id = kGroup);

  // The result of `task`, run on `node`; none if the node went down, or after 30 s.
  template <typename T>
  std::optional<T> Await(int node, runtime::Task<T> task);
  // The same, for tasks of the universe's executor.
  template <typename T>
  runtime::Task<std::optional<T>> Ask(int node, runtime::Task<T> task);
  // A proposal at `node`.
  absl::StatusOr<Proposed> Propose(int node, const std::string& command,
                                   storage::GroupId id = kGroup);
  // Writes register `key`, wherever the leader is, until it is acknowledged.
  void Put(const std::string& key, const std::string& value, storage::GroupId id = kGroup);
  // A linearizable read at `node`.
  absl::StatusOr<std::string> Read(int node, const std::string& key, storage::GroupId id = kGroup);

 private:
  simulated::Universe universe_;
  int count_;
};

template <typename T>
runtime::Task<void> StoreResult(runtime::Task<T> task, std::shared_ptr<std::optional<T>> result) {
  result->emplace(co_await std::move(task));
}

// WithTimeout() as a task of its own, which can be made anywhere.
template <typename T>
runtime::Task<T> Within(runtime::Duration timeout, runtime::Task<T> task) {
  co_return co_await runtime::WithTimeout(timeout, std::move(task));
}

template <typename T>
std::optional<T> Cluster::Await(int node, runtime::Task<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  program(node)->scope().Spawn(StoreResult(std::move(task), result));
  const uint64_t incarnation = world(node).incarnation();
  RunUntil([&] {
    return result->has_value() || !world(node).running() ||
           world(node).incarnation() != incarnation;
  });
  return *result;
}

template <typename T>
runtime::Task<std::optional<T>> Cluster::Ask(int node, runtime::Task<T> task) {
  auto result = std::make_shared<std::optional<T>>();
  const uint64_t incarnation = world(node).incarnation();
  program(node)->scope().Spawn(StoreResult(std::move(task), result));
  while (!result->has_value() && world(node).running() &&
         world(node).incarnation() == incarnation) {
    if (!(co_await runtime::SleepFor(std::chrono::microseconds(200))).ok()) break;
  }
  co_return *result;
}

}  // namespace paxos

#endif  // TESTS_PAXOS_CLUSTER_H_
