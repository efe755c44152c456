// Group: one replica of a Paxos group with its driver. The kernel (kernel/replica.h) decides; this
// class waits: it saves, sends, applies and catches up as the kernel says.
//
//   CO_ASSIGN_OR_RETURN(Proposed put, co_await group->Propose(EncodePut(key, value), at_least));
//   CO_ASSIGN_OR_RETURN(Ballot ballot, co_await group->ReadBarrier());
//   ... read the state machine ...
//   CO_RETURN_IF_ERROR(group->CheckLease(ballot));   // and then answer
//
// Place:       made and ended by its Host, on the host's loop. Who asks it something holds it by
//              shared_ptr; once it has ended, all calls give NoSuchGroup().
// Order:       save before send (PX-DURABLE): a message that says what is on the disk leaves when
//              it is there. A slot is applied only when it is in this replica's own log, durably:
//              so below applied() the log here holds what was chosen and nothing else, replays
//              need no other replica, and others can be taught from it.
// Waiting:     calls run under the caller's deadline and cancellation. Proposals during a planned
//              hand-over wait until it is over, and then end with NotLeader(the successor).
// Bounded:     by the kernel's window (ReplicaOptions): past it Propose() gives Overloaded().
// Trouble:     while the disk takes nothing, proposals are refused with DiskTrouble(), what has
//              been proposed waits, and it all goes on when there is room. Errors: errors.h.
// Concurrency: one loop.
#ifndef PAXOS_GROUP_H_
#define PAXOS_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/applier.h"
#include "paxos/garbage_collector.h"
#include "paxos/group_home.h"
#include "paxos/kernel/replica.h"
#include "paxos/log_meter.h"
#include "paxos/signal.h"
#include "paxos/state_machine.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/ids.h"

namespace paxos {

// A group as views show it.
struct GroupStatus {
  storage::GroupId group;
  ReplicaId self;
  Role role = Role::kFollower;
  bool installed = true;
  Ballot promised;
  ReplicaId leader;                        // 0: none known.
  Timestamp lease_end = Timestamp::Min();  // By the leader's own count; Min() elsewhere.
  Slot chosen_through;
  Slot applied;
  Timestamp applied_timestamp = Timestamp::Min();
  Timestamp safe_time = Timestamp::Min();
  size_t open_slots = 0;
  size_t open_bytes = 0;
  uint64_t log_bytes = 0;  // Roughly, since the log was last cut.
  Configuration configuration;
};

// How far a proposal is waited for.
enum class Until : uint8_t {
  kChosen,   // It and all before it are chosen: nothing undoes it, and what it does follows.
  kApplied,  // The state machine here has it as well.
};

class Group final : private Applier::Listener {
 public:
  // What it begins with.
  struct Start {
    storage::GroupId group;
    Recovered recovered;
    // If recovered.installed.
    AppliedState applied;
    // See GroupMeta; null if there is none.
    std::shared_ptr<const Configuration> founding;
    // The snapshot whose installation was cut off by a crash; 0 if there is none.
    uint64_t snapshot = 0;
    uint64_t seed = 0;
  };

  // For its Host. `home` outlives it.
  Group(GroupHome* home, Start start, std::unique_ptr<StateMachine> machine);
  ~Group();  // End() has ended, or the node has crashed.

  storage::GroupId id() const { return id_; }

  // --- Asked of the leader ---

  // Ends when the command is chosen, or applied here. Its timestamp is at least `at_least` and above
  // all that were assigned or promised before. A command whose leader lost the lead is still
  // waited for: it ends with OK if it came to be chosen after all, with NotLeader() if another
  // value was. OutcomeUnknown() only if the caller's time ran out, the group ended here, or a
  // snapshot jumped over the slot. `under`: only while it leads under this ballot, NotLeader()
  // otherwise; what the command rests on was granted in it.
  runtime::Task<absl::StatusOr<Proposed>> Propose(std::string command, Timestamp at_least,
                                                  Until until = Until::kApplied,
                                                  std::optional<Ballot> under = std::nullopt);

  // Waits until all that was chosen before the call is applied here; then gives the ballot under
  // which this replica leads. What is read from the state machine from then on holds every write
  // that was acknowledged before the call, if CheckLease() still says OK when the answer leaves.
  runtime::Task<absl::StatusOr<Ballot>> ReadBarrier();

  // OK if this replica leads now under `ballot`. A pause is not seen from inside: ask after the
  // last wait, just before the answer leaves (PX-STALL).
  absl::Status CheckLease(Ballot ballot) const;

  // The ballot under which it leads and serves: everything chosen before is applied.
  std::optional<Ballot> leading() const;

  // Promises that nothing at or below `timestamp` will be assigned any more.
  absl::Status Pin(Timestamp timestamp);

  // Promises that no other leadership assigns anything at or below `timestamp`, which is before
  // lease_end(). What this one assigns is its caller's affair.
  absl::Status Guard(Timestamp timestamp);
  // The end of the lease, by the leader's own count; Min() elsewhere.
  Timestamp lease_end() const { return replica_.lease_end(); }
  // The highest timestamp that was assigned or promised, at the leader.
  Timestamp last_timestamp() const { return replica_.last_timestamp(); }

  // The members change one at a time (PX-RECONFIG); each of these ends when the change is chosen
  // and in force here, or with BadChange(), NotLeader() or OutcomeUnknown(). They wait for their
  // turn: bound them with a deadline.
  // Adds a replica on `node`, which has none, as a learner. Its node makes the replica by itself.
  runtime::Task<absl::StatusOr<ReplicaId>> AddLearner(runtime::NodeId node);
  // Makes a learner a voter, once it has caught up.
  runtime::Task<absl::Status> Promote(ReplicaId learner);
  // A leader that removes itself hands over first: it ends with NotLeader(the successor).
  runtime::Task<absl::Status> Remove(ReplicaId replica);

  // Hands the lead to `successor` (PX-ABDICATE). Ends when that one leads as far as is known here.
  runtime::Task<absl::Status> Abdicate(ReplicaId successor);
  // The lead is given to this member whenever it is healthy. 0: whoever has it keeps it.
  void SetPreferredLeader(ReplicaId replica);

  // --- Asked of any replica ---

  // Everything at or below it that will ever be written is applied here (t_safe of the group's
  // log: Corbett et al. 2012, section 4.1.3).
  Timestamp PaxosSafeTime() const;
  // Waits until `slot` is applied here.
  runtime::Task<absl::Status> WaitUntilApplied(Slot slot);
  // The node of the leader, as far as is known here.
  std::optional<runtime::NodeId> leader_node() const;
  GroupStatus status() const;

  const Replica& replica() const { return replica_; }
  StateMachine& state_machine() { return *machine_; }
  bool ended() const { return ended_; }

  // --- For the host ---

  // Begins to take part.
  void Begin();
  // A message came from a replica on the node `sender`.
  void Receive(runtime::NodeId sender, const Message& message, const Moment& moment);
  // Time has passed, or something has happened to the kernel: all effects of it. Called once in a
  // turn in which the group asked for it (GroupHome::WorkFor), and at wake().
  void Drive(const Moment& moment);
  MonotonicTime wake() const { return replica_.wake(); }
  // `save` and all before it are durable.
  void Saved(SaveId save, const Moment& moment);
  // The store was opened again, or replaced by another one.
  void StoreChanged() { applier_.StoreChanged(); }
  // Throws away the versions that nobody can read any more (StateMachine::horizon()), or those of
  // them that can be thrown away now.
  runtime::Task<absl::Status> CollectGarbage();
  // Ends all that waits. The group is then only a shell.
  runtime::Task<void> End();

  // See LogMeter; `given` is the oldest snapshot that is being given to others. What is applied now
  // is to be made durable before the log is cut there.
  std::optional<Slot> CutPoint(std::optional<Slot> given) const;
  void WasCut(Slot before);
  // Nothing below it is in the log.
  Slot truncated_before() const override { return truncated_before_; }
  GroupPlace& place() { return place_; }

  // --- For who catches up, here and elsewhere ---

  GroupHome& home() { return home_; }
  // Whether the log here is right up to applied(): there it holds what was chosen, unless cut.
  bool installed() const { return !ended_ && applier_.installed(); }
  Slot applied() const { return applier_.applied(); }
  // Whether the kernel has room for more to learn.
  bool HasRoom() const;
  void Learn(std::vector<AcceptedEntry> chosen);
  // The nodes of the other members: first that of `first`, then voters, then learners.
  std::vector<runtime::NodeId> Teachers(ReplicaId first) const;
  // Stands still for a snapshot, and stays so until it is installed.
  runtime::Task<absl::Status> BeginInstall(uint64_t snapshot);
  void Installed(const AppliedState& state);
  // The one whose installation was begun and has not ended; 0 if there is none.
  uint64_t begun_snapshot() const { return begun_snapshot_; }
  // Waits until something has changed, or until then.
  Signal::Awaiter WaitForChange(MonotonicTime until) {
    applier_.Hurry();
    return changed_.Wait(until);
  }

 private:
  class Outcome;  // One who waits for a slot.
  struct SaveUnderWay {
    SaveId id;
    std::optional<Slot> first;  // The lowest slot in it.
  };
  using Step = std::function<absl::Status(Configuration*)>;

  // Applier::Listener.
  void AppliedThrough(Slot slot, const std::vector<Chosen>& chosen) override;
  void CameNearer() override;
  void StateLost() override;

  // The kernel was changed: its effects are due.
  void Changed() { home_.WorkFor(this); }
  MonotonicTime In(Duration length) const;

  // --- Calls (group_calls.cc) ---
  // OK, or why nothing can be proposed here now, whoever leads.
  absl::Status CheckWritable() const;
  absl::Status NotLeading() const;
  // Nobody leads as far as is known here, or this replica is about to.
  bool NobodyLeads() const;
  // What the kernel's refusal means; OK if it is to be tried again soon.
  absl::Status Judge(const absl::Status& refusal) const;
  // The same for a promise that was asked for.
  absl::Status NotNowUnlessJudged(const absl::Status& promised) const;
  runtime::Task<absl::StatusOr<Proposed>> WaitForOutcome(Proposed proposed, Until until);
  // Those who wait for slots up to `slot`, the last of `chosen`.
  void SettleOutcomes(Until until, Slot slot, const std::vector<Chosen>& chosen);
  // Ends the waits for slots up to `slot`.
  void AbandonOutcomes(Slot slot, absl::string_view why);
  runtime::Task<absl::Status> ChangeMembers(Step step);
  bool NearlyHaveLog(const Configuration& next) const;

  // --- The parts of Drive() ---
  void HandOut(Ready ready);
  void GiveToApply();
  // Somebody waits for what is given to apply, or it is much.
  bool ApplyAtOnce();
  runtime::Task<void> RunCatchUp(Fetch fetch);
  void WatchLead();
  void NoteMembers();
  void NoteNode(ReplicaId replica, runtime::NodeId node);

  GroupHome& home_;
  const storage::GroupId id_;
  const std::shared_ptr<const Configuration> founding_;
  const std::unique_ptr<StateMachine> machine_;
  Replica replica_;
  runtime::TaskScope scope_;
  Applier applier_;
  GarbageCollector garbage_collector_;
  LogMeter log_meter_;
  Slot truncated_before_;
  GroupPlace place_;

  std::deque<SaveUnderWay> saves_;
  // Handed out by the kernel, and waiting for a save: see Order.
  std::deque<Chosen> chosen_;
  std::map<Until, std::multimap<Slot, Outcome*>> outcomes_;
  // Where replicas live, former members and those not known yet to be one included; a replica never
  // moves. The newest few.
  std::map<ReplicaId, runtime::NodeId> nodes_;
  Slot nodes_noted_;  // The configuration whose members are in it.

  // Under which ballot it leads, up to where it must have applied to serve, and whether it does.
  std::optional<Ballot> lead_;
  Slot lead_after_;
  bool serving_ = false;
  // New proposals wait until then, so that the members can change.
  MonotonicTime hold_until_ = MonotonicTime::Min();

  uint64_t begun_snapshot_;
  bool catching_up_ = false;
  bool erased_ = false;
  bool ended_ = false;
  Signal changed_;
};

}  // namespace paxos

#endif  // PAXOS_GROUP_H_
