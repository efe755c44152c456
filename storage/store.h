// Store: the rows and the state of all groups of one event loop, in LevelDB.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Store> store, co_await Store::Open(&world, {"store"}));
//   ApplyBatch batch(store->epoch()); ... co_await store->Write(std::move(batch)) ...
//   ASSIGN_OR_RETURN(View view, store->NewView(group)); ... view.Get(key, timestamp) ...
//
// Place:       below the groups of one loop: made, used and closed there. Views go anywhere.
// Disposable:  the Paxos log is the truth. Writes are not synced; what a group has applied stands
//              in the same batch as its changes. After a crash the store holds a prefix of the
//              batches that were written, perhaps without the last of them, and each group replays
//              its log from what it finds as its applied state. SyncApplied() makes a prefix
//              durable: it comes before the log is cut.
// Damage:      what is read is verified (PX-CHECKSUM). A store in which anything was found corrupt
//              or missing, on opening or later, is damaged: it serves nothing any more. Its owner
//              closes it, calls Wipe(), opens an empty one, and every group asks a peer for a
//              snapshot. The votes are safe in the log store meanwhile.
//              A corrupt tail of LevelDB's own log cannot be told from one torn by a crash: then
//              the store comes back with an older prefix, which its owner sees as an applied state
//              below the beginning of the group's log, and answers in the same way.
// Trouble:     when the disk is full or fails, the batch at fault and all that follow are refused
//              (RESOURCE_EXHAUSTED, UNAVAILABLE), and the store tries to open again, with growing
//              pauses, until it can. That begins a new epoch: what was written without being synced
//              may be gone, so each group reads its applied state again and replays. Where
//              World::files() has lost a log on closing it, only a new process can go on.
// States:      kOpen -> kFull | kFailing -> kOpen (a new epoch) ...; any -> kDamaged; Close() ->
//              kClosed.
// Bounded:     batches that wait for their turn have at most queue_bytes_max; beyond that Write()
//              refuses with RESOURCE_EXHAUSTED.
// Crash:       safe at any point. Cancelling a call ends the wait, not the write.
// Format:      docs/formats.md, "Store".
#ifndef STORAGE_STORE_H_
#define STORAGE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/time.h"
#include "storage/apply_batch.h"
#include "storage/ids.h"
#include "storage/key_range.h"
#include "storage/stored_key.h"
#include "storage/view.h"
#include "storage/work_step.h"

namespace runtime {
class World;
}

namespace storage {

class Database;
struct RangeWork;

enum class StoreState { kOpen, kFull, kFailing, kDamaged, kClosed };
absl::string_view StoreStateName(StoreState state);

struct StoreOptions {
  // Of its own; made if it is not there. Its parent must be there.
  std::string directory = "store";
  // LevelDB's buffer in memory (it has two) and its cache of blocks.
  size_t write_buffer_bytes = 8 << 20;
  size_t block_cache_bytes = 64 << 20;
  // Batches that wait are written together up to this size.
  size_t write_bytes_max = 1 << 20;
  size_t queue_bytes_max = 64 << 20;
  // Between two attempts to open a store whose disk fails.
  runtime::Duration retry_pause_min = runtime::Duration(100'000'000);
  runtime::Duration retry_pause_max = runtime::Duration(5'000'000'000);
  // Called on the store's loop when state() has changed.
  std::function<void()> state_changed = {};
};

// What the store knows of a group.
struct StoredGroup {
  GroupId group;
  std::string applied;  // Empty while it is not installed.
  runtime::Timestamp horizon = runtime::Timestamp::Min();
  // An install that has not ended: nothing of the group may be read.
  std::optional<InstallMark> install;
};

class Store {
 public:
  // DATA_LOSS: it is damaged; see Wipe(). FAILED_PRECONDITION: it was written in a format that this
  // program does not know. RESOURCE_EXHAUSTED, UNAVAILABLE: the disk; try again later.
  static runtime::Task<absl::StatusOr<std::unique_ptr<Store>>> Open(runtime::World* world,
                                                                    StoreOptions options);
  ~Store();  // Close() comes first, unless the loop crashes.

  // Throws away what is in the directory of a store that is closed, for ever: once it has ended
  // with OK no crash brings anything back. Before that, all or nothing is gone.
  static runtime::Task<absl::Status> Wipe(runtime::World* world, std::string directory);

  // Ends when all work of it has ended. What waits is refused.
  runtime::Task<void> Close();

  StoreState state() const { return state_; }
  // OK while open, else why not.
  const absl::Status& status() const { return status_; }
  bool damaged() const { return state_ == StoreState::kDamaged; }
  StoreEpoch epoch() const { return epoch_; }

  // Writes a batch, in the order of the calls, not synced. ABORTED if the batch is of another
  // epoch.
  runtime::Task<absl::Status> Write(ApplyBatch batch);
  // All that was written before is durable.
  runtime::Task<absl::Status> SyncApplied();

  // FAILED_PRECONDITION while a snapshot of the group is being installed. Looks up one small record.
  absl::StatusOr<View> NewView(GroupId group);

  // All groups that it knows, by id. Blocks for some milliseconds at most.
  runtime::Task<absl::StatusOr<std::vector<StoredGroup>>> Groups();

  // A step of garbage collection; begin with "" and go on with WorkStep::resume. Raises the group's
  // horizon, and removes from the range what no read at or above it can see: of each key the
  // versions below the newest one at or below the horizon, and that one too if it is a deletion.
  // The horizon is not above the timestamp of anything that the group may still write.
  runtime::Task<absl::StatusOr<WorkStep>> CollectGarbage(GroupId group, KeyRange range,
                                                         runtime::Timestamp horizon,
                                                         std::string resume);
  // A step of removing a group: its range, its state, and at last all trace of it. From the first
  // step on, and after a crash too, it counts as not installed. Repeat until resume is none.
  runtime::Task<absl::StatusOr<WorkStep>> RemoveGroup(GroupId group, KeyRange range,
                                                      std::string resume);
  // The same for rows only.
  runtime::Task<absl::StatusOr<WorkStep>> DeleteRange(KeyRange range, std::string resume);

  // By LevelDB's own estimate: what was written in the last moments is missing, and what was
  // collected since the last compaction is still in it. For exact figures see RangeSurvey.
  absl::StatusOr<uint64_t> ApproximateBytes(const KeyRange& range);

  // For what is inside storage/. Like Write(); `sync`: everything so far is durable at the end.
  enum class Durability { kWritten, kSynced };
  runtime::Task<absl::Status> WriteAs(ApplyBatch batch, Durability durability);
  absl::StatusOr<std::shared_ptr<Database>> database() const;
  runtime::World& world() { return world_; }

 private:
  struct PendingWrite;
  struct Link;

  Store(runtime::World* world, StoreOptions options);
  runtime::Task<absl::Status> OpenDatabase();
  runtime::Task<void> CloseDatabase();
  runtime::Task<void> RunWrites();
  runtime::Task<void> WriteQueued();
  runtime::Task<void> Reopen();
  void SetState(StoreState state, absl::Status status);
  // A write failed, or damage was found.
  void Failed(const absl::Status& why);
  void RefuseQueued(const absl::Status& why);
  // A step of deleting stored ranges, and at their end the record of `group`, if it is one.
  runtime::Task<absl::StatusOr<WorkStep>> DeleteStored(GroupId group, std::vector<KeyRange> stored,
                                                       std::string resume);
  runtime::Task<absl::StatusOr<WorkStep>> FinishStep(absl::StatusOr<RangeWork> work,
                                                     bool must_write);

  runtime::World& world_;
  const StoreOptions options_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<Database> database_;  // Not null while the state is kOpen.
  std::weak_ptr<Database> retired_;     // The one before, that views may still hold.
  StoreEpoch epoch_;                    // 0 before it is first open.
  StoreState state_ = StoreState::kFailing;
  absl::Status status_ = absl::UnavailableError("the store is being opened");
  std::deque<std::shared_ptr<PendingWrite>> queue_;
  size_t queued_bytes_ = 0;  // Invariant: the sum of the batches in queue_.
  runtime::Event queued_;
  runtime::TaskScope scope_;
};

}  // namespace storage

#endif  // STORAGE_STORE_H_
