// Applier: brings what is chosen into the store, in the order of the slots, through the state
// machine.
//
// Place:       a part of Group, which gives it what the kernel handed out.
// Invariants:  what it says is applied stands in the store, in the same batch as its applied state.
//              A slot reaches the listener once.
// Trouble:     a batch that the store did not take is tried again when the store can. A store that
//              was opened again may hold less than before: then the applier reads where it stands,
//              lets the state machine start from there, and replays from the log. What neither has
//              is lost: the listener is told, and a snapshot is to be had.
// Concurrency: one loop. It has a task only while there is something to do.
#ifndef PAXOS_APPLIER_H_
#define PAXOS_APPLIER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/group_home.h"
#include "paxos/kernel/entry.h"
#include "paxos/records.h"
#include "paxos/signal.h"
#include "paxos/state_machine.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/apply_batch.h"

namespace paxos {

class Applier {
 public:
  class Listener {
   public:
    // `chosen`, the last of which stands in `slot`, was applied.
    virtual void AppliedThrough(Slot slot, const std::vector<Chosen>& chosen) = 0;
    // The state machine was restored, or has come nearer to where it was.
    virtual void CameNearer() = 0;
    // The state is gone, or too old for this replica's log. The applier stands still until
    // Installed().
    virtual void StateLost() = 0;
    // Where the log was cut.
    virtual Slot truncated_before() const = 0;

   protected:
    ~Listener() = default;
  };

  struct Start {
    AppliedState state;
    bool installed = true;
    // See GroupMeta. The state to begin with if the store has nothing of the group.
    std::shared_ptr<const Configuration> founding;
  };

  // All outlive it; its task is one of `scope`.
  Applier(GroupHome* home, storage::GroupId group, Start start, StateMachine* machine,
          Listener* listener, runtime::TaskScope* scope);

  // Begins to work: the state machine is restored first.
  void Begin();
  // Slots that follow those before.
  void Add(std::vector<Chosen> chosen);
  // Somebody waits for what comes next: it is applied at once. Otherwise what comes in a while is
  // applied together.
  void Hurry();
  // The store was opened again, or is another one.
  void StoreChanged();

  // Stands still from now on, for a snapshot; ends when nothing is under way.
  runtime::Task<absl::Status> Stop();
  // A snapshot was installed.
  void Installed(AppliedState state);

  bool installed() const { return installed_; }
  // What is in the store, as far as the state machine knows it.
  const AppliedState& state() const { return state_; }
  // Whether the state machine may be asked: it was restored, and has all it ever had.
  bool current() const { return installed_ && restored_ && state_.slot >= told_; }
  Slot applied() const { return state_.slot; }

 private:
  void Wake();
  bool HasWork() const;
  runtime::Task<void> Run();
  runtime::Task<absl::Status> Gather();
  runtime::Task<absl::Status> Step();
  // Reads where the store stands, and restores the state machine from there.
  runtime::Task<absl::Status> Restore();
  absl::StatusOr<std::optional<AppliedState>> ReadState();
  void Lost();
  runtime::Task<absl::Status> Replay();
  runtime::Task<absl::Status> ApplyQueued();
  runtime::Task<absl::Status> ApplyBatch(const std::vector<Chosen>* chosen);
  std::vector<Chosen> TakeQueued();

  GroupHome& home_;
  const storage::GroupId group_;
  const std::shared_ptr<const Configuration> founding_;
  StateMachine& machine_;
  Listener& listener_;
  runtime::TaskScope& scope_;

  AppliedState state_;
  bool installed_;
  Slot told_;                 // The listener was told up to here.
  Slot added_;                // The last one that was given to it.
  std::deque<Chosen> queue_;  // Slots after told_.
  bool restored_ = false;
  storage::StoreEpoch epoch_;  // Of the store when the state machine was restored.
  uint64_t store_changes_ = 0;
  bool hurried_ = false;
  // What had come when the last pause was over: it is applied without another one.
  Slot gathered_through_;
  Signal hurry_;
  bool running_ = false;
  bool stopped_ = false;
  runtime::Event ended_;  // Set while not running_.
};

}  // namespace paxos

#endif  // PAXOS_APPLIER_H_
