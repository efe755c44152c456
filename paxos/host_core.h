// Host::Core: what a Host is made of. Only host*.cc include this.
//
//   host.cc           the public face; turns, ticks, messages
//   host_recovery.cc  opening, and what a crash left
//   host_members.cc   how replicas come and go: CreateGroup, Join, removal; and the calls of others
//   host_upkeep.cc    a store that fails or is damaged; cutting logs
#ifndef PAXOS_HOST_CORE_H_
#define PAXOS_HOST_CORE_H_

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "paxos/codec.h"
#include "paxos/group.h"
#include "paxos/group_home.h"
#include "paxos/host.h"
#include "paxos/instruments.h"
#include "paxos/message_batcher.h"
#include "paxos/paxos.pb.h"
#include "paxos/permits.h"
#include "paxos/save_queue.h"
#include "paxos/snapshot_shelf.h"
#include "runtime/executor.h"
#include "runtime/network.h"
#include "runtime/task_scope.h"
#include "storage/log_store.h"
#include "storage/store.h"
#include "truetime/truetime.h"

namespace paxos {

class Host::Core final : public GroupHome {
 public:
  Core(runtime::World* world, truetime::TrueTime* truetime, StateMachineFactory factory,
       HostOptions options);
  ~Core();

  // --- The host (see host.h) ---
  runtime::Task<absl::Status> Open();
  runtime::Task<void> Close();
  runtime::Task<absl::StatusOr<std::shared_ptr<Group>>> CreateGroup(storage::GroupId id,
                                                                    Configuration configuration);
  std::shared_ptr<Group> FindGroup(storage::GroupId group) const;
  std::vector<std::shared_ptr<Group>> groups() const;
  absl::Status status() const;

  // --- GroupHome ---
  runtime::World& world() override { return world_; }
  const HostOptions& options() const override { return options_; }
  Instruments& instruments() override { return instruments_; }
  Moment Now() const override;
  storage::LogStore& log() override { return *log_; }
  storage::Store* store() override { return store_usable_ ? store_.get() : nullptr; }
  void WorkFor(Group* group) override;
  void Send(runtime::NodeId node, storage::GroupId group, const Message& message) override;
  void Save(GroupSave save) override;
  Permits& installs() override { return installs_; }
  void Erase(storage::GroupId group) override;

 private:
  // Runs when all that was ready before has run.
  class Turn final : public runtime::Runnable {
   public:
    explicit Turn(Core* core) : core_(*core) {}
    void Run() override { core_.EndTurn(); }

   private:
    Core& core_;
  };
  // Fires when the first alarm of a group is due.
  class Ticker final : public runtime::Timer {
   public:
    explicit Ticker(Core* core) : core_(*core) {}

   private:
    void Fire() override { core_.RingAlarms(); }

    Core& core_;
  };

  // --- Turns and ticks (host.cc) ---
  void TurnSoon();
  void EndTurn();
  void SetAlarm(Group* group);
  void ClearAlarm(Group* group);
  void RingAlarms();
  void StartTicker();
  void Receive(runtime::NodeId sender, const std::string& payload);
  void SaveIsDurable(storage::GroupId group, SaveId save);

  // --- Recovery (host_recovery.cc) ---
  using StoredGroups = std::map<storage::GroupId, storage::StoredGroup>;
  runtime::Task<absl::Status> OpenLog();
  runtime::Task<absl::Status> OpenStore();
  runtime::Task<absl::StatusOr<StoredGroups>> OpenStoreAndRead();
  runtime::Task<absl::Status> RecoverGroup(storage::RecoveredGroup found,
                                           const storage::StoredGroup* stored);
  runtime::Task<absl::Status> ReadAccepted(storage::RecoveredGroup found, Recovered* recovered);
  void StartServing();
  std::shared_ptr<Group> AddGroup(Group::Start start);

  // --- Members (host_members.cc) ---
  void MaybeJoin(runtime::NodeId sender, storage::GroupId group, ReplicaId replica);
  runtime::Task<void> RunJoin(runtime::NodeId sender, storage::GroupId group, ReplicaId replica);
  runtime::Task<absl::Status> Join(runtime::NodeId sender, storage::GroupId group,
                                   ReplicaId replica);
  runtime::Task<void> EraseGroup(storage::GroupId group);
  // Removes what the store still holds of a group that is not here.
  runtime::Task<absl::Status> RemoveStored(storage::GroupId group);
  runtime::Task<void> RemoveStoredInBackground(storage::GroupId group);
  runtime::Task<absl::StatusOr<wire::JoinReply>> ServeJoin(runtime::NodeId caller,
                                                           wire::JoinRequest request);
  runtime::Task<absl::StatusOr<wire::FetchChosenReply>> ServeFetchChosen(
      runtime::NodeId caller, wire::FetchChosenRequest request);
  runtime::Task<absl::StatusOr<wire::FetchSnapshotReply>> ServeFetchSnapshot(
      runtime::NodeId caller, wire::FetchSnapshotRequest request);

  // --- Upkeep (host_upkeep.cc) ---
  void StoreStateChanged();
  runtime::Task<void> ReplaceStore();
  runtime::Task<void> CutLogs();
  runtime::Task<absl::Status> CutLogsOnce();
  runtime::Task<void> CollectGarbage();

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  const StateMachineFactory factory_;
  const HostOptions options_;
  const Duration tick_period_;
  Instruments instruments_;
  runtime::Executor& executor_;

  std::unique_ptr<storage::LogStore> log_;
  std::unique_ptr<storage::Store> store_;
  bool store_usable_ = false;
  // Those that were damaged: closed, but perhaps still looked at by who has not noticed yet.
  std::vector<std::unique_ptr<storage::Store>> retired_stores_;

  std::map<storage::GroupId, std::shared_ptr<Group>> groups_;
  // Nothing is made of these until all trace of what was there is gone.
  std::set<storage::GroupId> leaving_;
  // Groups that are being asked about, or until when not to ask again.
  std::map<storage::GroupId, std::optional<MonotonicTime>> joins_;
  size_t joining_ = 0;

  std::vector<std::shared_ptr<Group>> due_;
  std::set<std::pair<MonotonicTime, storage::GroupId>> alarms_;
  Turn turn_;
  Ticker ticker_;
  MessageBatcher batcher_;
  wire::MessageBatch received_;  // Kept, to be filled again.
  Permits installs_;
  SnapshotShelf shelf_;
  std::vector<runtime::Network::Registration> registrations_;
  bool closed_ = false;
  runtime::TaskScope scope_;
  std::unique_ptr<SaveQueue> saves_;
};

}  // namespace paxos

#endif  // PAXOS_HOST_CORE_H_
