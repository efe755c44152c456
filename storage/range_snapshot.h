// Range snapshots: how a replica that is too far behind gets a consistent copy of its group
// (PX-SNAPSHOT).
//
//   SnapshotReader reader = *SnapshotReader::Create(*store->NewView(group), range, id, {});
//   std::string chunk = *reader.ReadChunk(token);                        // there
//   installer = co_await SnapshotInstaller::Begin(store, group, range, id);   // here
//   while (!installer->done()) {
//     std::string chunk = ... the peer's ReadChunk(installer->resume_token()) ...;
//     CO_RETURN_IF_ERROR(co_await installer->Add(chunk));
//   }
//
// A snapshot is the rows of the range, all versions of them that are still kept, the group's own
// state, its horizon and its applied state, as one View saw them. It comes in chunks, each from a
// resume token (at first "") to the next; any of them can be read again, also by another
// connection. A chunk carries its checksum and the running one of all before it; each row its own.
#ifndef STORAGE_RANGE_SNAPSHOT_H_
#define STORAGE_RANGE_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/key_range.h"
#include "storage/store.h"
#include "storage/view.h"

namespace storage {

struct SnapshotChunk;

struct SnapshotOptions {
  // A chunk ends with the entry that reaches this size, so a big row may make it bigger.
  size_t chunk_bytes_max = 1 << 20;
};

// Reads a snapshot. It keeps a View, which pins disk space: whoever owns it drops it when it has
// not been used for long. One thread at a time; ReadChunk() waits for the disk, so it is called
// through runtime::RunBlocking.
class SnapshotReader {
 public:
  // FAILED_PRECONDITION if the group has applied nothing. The id is drawn at random by the caller,
  // once for each snapshot.
  static absl::StatusOr<SnapshotReader> Create(View view, KeyRange range, uint64_t id,
                                               SnapshotOptions options);

  uint64_t id() const { return id_; }
  const KeyRange& range() const { return range_; }
  // The applied state that the snapshot stands for.
  const std::string& applied() const { return applied_; }

  // The encoded chunk that follows a resume token. INVALID_ARGUMENT for a token of something else.
  absl::StatusOr<std::string> ReadChunk(absl::string_view resume_token);

  // When its owner last heard of it.
  void Used(runtime::MonotonicTime now) { last_used_ = now; }
  runtime::MonotonicTime last_used() const { return last_used_; }

 private:
  SnapshotReader(View view, KeyRange range, uint64_t id, SnapshotOptions options);
  // Fills in what the view has between the chunk's beginning and its end, which moves to where it
  // is full.
  absl::StatusOr<std::string> CollectEntries(const std::vector<KeyRange>& ranges,
                                             SnapshotChunk* chunk);

  View view_;
  KeyRange range_;
  uint64_t id_;
  SnapshotOptions options_;
  std::string applied_;
  runtime::MonotonicTime last_used_;
};

// Installs a snapshot, straight into its final place, under a durable mark that the group is not
// installed. Only the last chunk takes the mark away, in the batch that sets the applied state, and
// syncs. What was in the range before and is not in the snapshot is gone. After a crash, Begin()
// with the same id goes on where the last chunk that survived ended; with another id from the
// start. Used on the store's loop; one per group at a time.
class SnapshotInstaller {
 public:
  // Ends when the mark is durable. FAILED_PRECONDITION if an install of another range has begun,
  // which the new one does not cover: Store::RemoveGroup() it first.
  static runtime::Task<absl::StatusOr<std::unique_ptr<SnapshotInstaller>>> Begin(Store* store,
                                                                                 GroupId group,
                                                                                 KeyRange range,
                                                                                 uint64_t id);

  // What to ask the peer for.
  const std::string& resume_token() const { return resume_token_; }
  // Installed and durable: the group may be read.
  bool done() const { return done_; }
  // The applied state of the snapshot, once done.
  const std::string& applied() const { return applied_; }

  // Takes the chunk that follows resume_token(). INVALID_ARGUMENT if it is another one, or is not
  // as it was read: then nothing has changed, ask again. What else fails is the store's trouble:
  // begin again when it is open.
  runtime::Task<absl::Status> Add(std::string chunk);

 private:
  SnapshotInstaller(Store* store, StoreEpoch epoch, GroupId group, KeyRange range, uint64_t id,
                    std::string resume_token);

  Store* const store_;
  const StoreEpoch epoch_;
  const GroupId group_;
  const KeyRange range_;
  const uint64_t id_;
  std::string resume_token_;
  std::string applied_;
  bool done_ = false;
};

}  // namespace storage

#endif  // STORAGE_RANGE_SNAPSHOT_H_
