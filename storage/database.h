// Database: one opening of a store's LevelDB, checked when it is opened and at every read.
//
// Place:       inside storage/. Shared by the Store and the Views made while it was the store's;
//              closed when the last of them lets go.
// Concurrency: everything may be called from any thread, but Write() by one at a time. Blocks on
//              the disk.
#ifndef STORAGE_DATABASE_H_
#define STORAGE_DATABASE_H_

#include <leveldb/db.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/stored_key.h"
#include "storage/view.h"
#include "storage/write_chain.h"

namespace leveldb {
class Cache;
class Env;
}  // namespace leveldb

namespace storage {

struct DatabaseOptions {
  std::string directory;
  size_t write_buffer_bytes = 0;
  size_t block_cache_bytes = 0;
  // Called once, from any thread, when damage is first found.
  std::function<void(const absl::Status&)> damage_found = {};
};

// DATA_LOSS for what is corrupt or missing, RESOURCE_EXHAUSTED for a full disk, UNAVAILABLE for
// other troubles of the disk.
absl::Status FromLevelDb(const leveldb::Status& status);

class Database {
 public:
  // Errors as Store::Open(). `files` outlives it.
  static absl::StatusOr<std::shared_ptr<Database>> Open(leveldb::Env* files,
                                                        DatabaseOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Adds the chain's record to `changes` and writes them. After an error nothing else may be
  // written: LevelDB's log may end in half a record.
  absl::Status Write(leveldb::WriteBatch* changes, bool sync);

  // A view of what there is now. AllowInstalling: even while the group is not installed.
  enum class Installing { kRefused, kAllowed };
  static absl::StatusOr<View> NewView(std::shared_ptr<Database> database, GroupId group,
                                      Installing installing);

  // The value of a stored key, verified.
  absl::StatusOr<std::optional<std::string>> ReadRecord(const leveldb::Snapshot* snapshot,
                                                        const std::string& stored_key);
  absl::StatusOr<GroupRecord> ReadGroupRecord(const leveldb::Snapshot* snapshot, GroupId group);

  // Passes on what a read gave; DATA_LOSS makes the database damaged.
  absl::Status Judge(absl::Status status);
  template <typename T>
  absl::StatusOr<T> Judge(absl::StatusOr<T> result) {
    if (!result.ok()) return Judge(result.status());
    return result;
  }

  bool damaged() const { return damaged_.load(std::memory_order_acquire); }
  // The store has let go of it: views are refused, so that it can be closed and opened again.
  void Retire() { retired_.store(true, std::memory_order_release); }
  // OK while it may be read.
  absl::Status Readable() const;

  leveldb::DB& leveldb() { return *leveldb_; }
  // Bytes that were cut off the log when it was opened.
  uint64_t log_bytes_dropped() const { return log_bytes_dropped_; }

 private:
  Database(leveldb::Env* files, DatabaseOptions options);
  absl::Status OpenLevelDb();
  absl::Status CheckFormat();
  absl::Status CheckChain();

  leveldb::Env& files_;
  const DatabaseOptions options_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> leveldb_;
  WriteChain chain_;
  uint64_t log_bytes_dropped_ = 0;
  std::atomic<bool> damaged_{false};
  std::atomic<bool> retired_{false};
};

}  // namespace storage

#endif  // STORAGE_DATABASE_H_
