// LogStore: the Paxos log and metadata of all groups of a node, durable by group commit.
//
//   ASSIGN log = co_await LogStore::Open(world, "log", {});
//   for (RecoveredGroup& group : log->TakeRecovered()) ...
//   CO_RETURN_IF_ERROR(co_await log->Write({.group = g, .meta = ballot, .entries = {{slot, v}}}));
//   ... the promise may leave ...
//
// Place:       one per node, made, used and closed on one loop, below all of its groups. Owns its
//              directory. Files are reached through World::files(), never LevelDB's store: LevelDB
//              cannot tell a torn tail from a flipped bit in what was synced, and a vote must not
//              be forgotten (PX-DURABLE).
// Durable:     Write() ends with OK only after an fsync. One fsync runs at a time and serves all
//              that wait; what comes meanwhile gathers for the next. Batches become durable in the
//              order of the calls, each all or nothing.
// Checked:     every batch is on disk twice, in different 4 KiB pages, each copy with its checksums
//              (PX-CHECKSUM). A copy that is bad is replaced by its twin, and what lives in its
//              segment is written anew. Any batch but the last was synced before the next began, so
//              a last batch without a whole copy was torn by a crash and never acknowledged, while
//              any other one, or a missing segment, is DATA_LOSS: this replica must not vote.
// Unknown:     a Write() that was refused as UNAVAILABLE, RESOURCE_EXHAUSTED or INVALID_ARGUMENT
//              left nothing behind. One that was cancelled, or cut off by a crash, by Close() or by
//              damage, may be there or not. For Paxos both are harmless: only what was
//              acknowledged must be there.
// Trouble:     after a failed write or fsync nothing of that file is trusted from the failed batch
//              on. The batch is written again to a new segment, whose header says so, until that
//              has been synced. Meanwhile the state is `stalled` or `full` (see LogState): what
//              was queued before waits, new writes are refused, reads go on.
// Bounded:     queued bytes (Write() waits for room), cached bytes, and the disk: segments are
//              cleaned, oldest first, so that the files stay below twice what lives in them (both
//              copies) and a few segments.
// Crash:       safe at any point. What comes back is all that was acknowledged, and perhaps, whole,
//              the one batch that was on its way.
// Format:      docs/formats.md, "Log segments".
#ifndef STORAGE_LOG_STORE_H_
#define STORAGE_LOG_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/task.h"
#include "storage/ids.h"

namespace runtime {
class World;
}

namespace storage {

// What a group keeps in a slot. The bytes are its own business.
struct LogEntry {
  Slot slot;  // At least 1.
  std::string bytes;

  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

// What one group wants durable, all or nothing.
struct LogWrite {
  GroupId group;
  // Forget the group, before the rest of this write.
  bool erase = false;
  // Replaces the group's metadata. At most kMetaBytesMax.
  std::optional<std::string> meta = std::nullopt;
  // Each replaces what its slot held. In any order; gaps are allowed. One below the group's
  // truncation is dropped.
  std::vector<LogEntry> entries = {};
  // Entries below it are no longer needed. It never falls.
  std::optional<Slot> truncate_before = std::nullopt;

  static constexpr size_t kMetaBytesMax = 64 << 10;
};

// A group as Open() found it. Its entries are had from LogStore::Read().
struct RecoveredGroup {
  GroupId group;
  std::string meta;
  Slot truncated_before;  // 0 if it never was.
  // The first and the last slot that hold something; 0 if none does.
  Slot first;
  Slot last;
};

enum class LogState {
  kHealthy,
  kFull,     // No room on the disk: Write() gives RESOURCE_EXHAUSTED. It goes on by itself.
  kStalled,  // The disk fails: Write() gives UNAVAILABLE. It goes on by itself.
  kDamaged,  // Both copies of something synced are gone: Write() gives DATA_LOSS, for good.
  kClosed,   // Write() gives FAILED_PRECONDITION.
};

// "healthy", "full", "stalled", "damaged", "closed".
absl::string_view LogStateName(LogState state);

struct LogStoreOptions {
  // A new segment is begun when the present one has reached this size.
  size_t segment_bytes = 16 << 20;
  // A batch takes no further write when it has reached this size.
  size_t batch_bytes_max = 1 << 20;
  // What may be queued before Write() waits.
  size_t queue_bytes_max = 32 << 20;
  // Recently written bytes that Read() need not fetch from the disk.
  size_t cache_bytes_max = 32 << 20;
};

class LogStore {
 public:
  // The largest Write().
  static constexpr size_t kWriteBytesMax = 16 << 20;

  // Opens or makes the store in `directory`, whose parent exists. `world` outlives it. Everything
  // is read once and both copies are checked. It has synced what it found when it returns.
  // Errors: DATA_LOSS, FAILED_PRECONDITION (a format version that this program does not know),
  // UNAVAILABLE or RESOURCE_EXHAUSTED (the disk; try again later).
  static runtime::Task<absl::StatusOr<std::unique_ptr<LogStore>>> Open(runtime::World* world,
                                                                       std::string directory,
                                                                       LogStoreOptions options);

  // Close() has ended, or the node has crashed.
  ~LogStore();
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // Writes what is queued, unless the disk is in trouble, and ends the background work.
  runtime::Task<void> Close();

  // What was found at Open(), by ascending id; empty when asked again.
  std::vector<RecoveredGroup> TakeRecovered();

  // Ends when `write`, or all of `writes`, is durable: all or nothing. The order of the calls (that
  // is: of the co_awaits) is the order on disk. Errors: as the state says; INVALID_ARGUMENT for
  // what breaks a limit; the reason of a cancellation, which leaves open whether it was written.
  runtime::Task<absl::Status> Write(LogWrite write);
  runtime::Task<absl::Status> Write(std::vector<LogWrite> writes);

  // The durable entries of `group` in [from, to), ascending, up to `bytes_max` bytes of them but at
  // least one if there is any. Checked (PX-CHECKSUM). DATA_LOSS if both copies of one are bad;
  // UNAVAILABLE if the disk does not answer.
  runtime::Task<absl::StatusOr<std::vector<LogEntry>>> Read(GroupId group, Slot from, Slot to,
                                                            size_t bytes_max);

  LogState state() const;
  // OK, or why Write() is refused.
  absl::Status Check() const;

 private:
  class Core;
  explicit LogStore(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace storage

#endif  // STORAGE_LOG_STORE_H_
