// RegisterMachine: registers as a group's state machine. Each row of the store is a register, with a
// version for each write at the timestamp of its log entry.
//
// It keeps nothing in memory but the outcomes of the last commands, for those who proposed them. It
// also counts commands in the group's own state, which must travel with its snapshots.
#ifndef SIMULATION_REGISTER_MACHINE_H_
#define SIMULATION_REGISTER_MACHINE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "paxos/state_machine.h"
#include "simulation/paxos_truth.h"
#include "simulation/register_command.h"
#include "storage/store.h"
#include "storage/view.h"

namespace simulation {

class RegisterMachine final : public paxos::StateMachine {
 public:
  // All outlive it. `world` is where it runs.
  RegisterMachine(runtime::World* world, PaxosTruth* truth, storage::GroupId group);

  // What the command in `slot` came to; none if this replica did not apply it itself, or long ago.
  std::optional<RegisterResult> ResultOf(storage::Slot slot) const;

  // All that `view` has of the group. `keys`: those that may be there without a value.
  static absl::StatusOr<GroupContents> Read(storage::View* view,
                                            const std::vector<std::string>& keys);

  storage::KeyRange range() const override { return RowsOf(group_); }
  runtime::Timestamp horizon() const override { return newest_ - retained_; }
  runtime::Task<absl::Status> Restored(storage::Store* store, storage::Slot applied,
                                       runtime::Timestamp timestamp) override;
  runtime::Task<absl::Status> Apply(std::vector<paxos::Command> commands,
                                    storage::ApplyBatch* batch) override;
  void Applied(storage::Slot slot, runtime::Timestamp timestamp) override;
  void StateLost() override { store_ = nullptr; }
  void LeadershipGained(paxos::Ballot ballot) override;
  void LeadershipLost(paxos::Ballot ballot) override;

 private:
  std::string Name() const;

  runtime::World& world_;
  PaxosTruth& truth_;
  const storage::GroupId group_;
  // How long a version can be read after it has been replaced.
  const runtime::Duration retained_;
  storage::Store* store_ = nullptr;
  storage::Slot at_;  // The last slot that was applied, and its timestamp.
  runtime::Timestamp newest_ = runtime::Timestamp::Min();
  uint64_t commands_ = 0;
  std::map<storage::Slot, RegisterResult> results_;
  std::optional<paxos::Ballot> leading_;
};

}  // namespace simulation

#endif  // SIMULATION_REGISTER_MACHINE_H_
