// ApplyBatch: what a group changes by applying log entries, written all or nothing.
//
//   ApplyBatch batch(epoch);
//   batch.Put(key, commit_timestamp, row);
//   batch.SetApplied(group, EncodeApplied(slot, ...));
//   CO_RETURN_IF_ERROR(co_await store->Write(std::move(batch)));
//
// Versions are added in any order, each (key, timestamp) once, above the group's horizon (see
// Store::CollectGarbage). The epoch is the one in which the group last read its applied state: a
// store that has been reopened since may hold less than was written, and refuses the batch.
// A value; any thread.
#ifndef STORAGE_APPLY_BATCH_H_
#define STORAGE_APPLY_BATCH_H_

#include <leveldb/write_batch.h>

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/strong_id.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/stored_key.h"

namespace storage {

// Which opening of a store; grows whenever it is opened again.
using StoreEpoch = runtime::StrongId<struct StoreEpochTag, uint64_t>;

class ApplyBatch {
 public:
  explicit ApplyBatch(StoreEpoch epoch) : epoch_(epoch) {}

  // The row of `key` from `timestamp` on.
  void Put(absl::string_view key, runtime::Timestamp timestamp, absl::string_view value);
  // From `timestamp` on there is no such row: a tombstone.
  void Delete(absl::string_view key, runtime::Timestamp timestamp);

  // The group's own state, without versions: the locks of prepared transactions and the like. It
  // travels with the group's snapshots.
  void PutState(GroupId group, absl::string_view key, absl::string_view value);
  void DeleteState(GroupId group, absl::string_view key);

  // How far the group has applied; any bytes.
  void SetApplied(GroupId group, absl::string_view applied);

  // Adds all of `other`, whose epoch is the same.
  void Append(const ApplyBatch& other);

  StoreEpoch epoch() const { return epoch_; }
  // What it takes in memory and in the log.
  size_t bytes() const { return changes_.ApproximateSize(); }
  // For what is inside storage/: the changes as LevelDB has them, and a value under a stored key,
  // which gets its checksum.
  leveldb::WriteBatch& changes() { return changes_; }
  void PutStored(absl::string_view stored_key, absl::string_view value);

 private:
  void PutVersion(absl::string_view key, runtime::Timestamp timestamp, VersionKind kind,
                  absl::string_view row);

  StoreEpoch epoch_;
  leveldb::WriteBatch changes_;
  // Kept from call to call for their memory.
  std::string stored_key_;
  std::string sealed_;
};

}  // namespace storage

#endif  // STORAGE_APPLY_BATCH_H_
