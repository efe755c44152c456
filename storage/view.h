// View: what the store held for one group at one moment.
//
//   ASSIGN_OR_RETURN(View view, store->NewView(group));
//   ASSIGN_OR_RETURN(std::optional<Cell> cell, view.Get(key, timestamp));
//
// Guarantees:  consistent: nothing that is written later is seen. Every byte that it gives was
//              verified against its own checksum, bound to key and timestamp (PX-CHECKSUM);
//              DATA_LOSS otherwise, and the store is damaged from then on.
// Horizon:     reads at a timestamp below the group's horizon are refused as OUT_OF_RANGE: versions
//              that they need may have been collected. The newest version can always be read.
// Cost:        cheap to make, movable, released when dropped. It pins what it sees on disk, so it
//              is not kept for long. It outlives the store's closing and reopening harmlessly: then
//              its reads give UNAVAILABLE, and it should be dropped, since it holds up the opening.
// Concurrency: synchronous, and may wait for the disk: long reads are called through
//              runtime::RunBlocking. One thread at a time; any number of views side by side.
#ifndef STORAGE_VIEW_H_
#define STORAGE_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/key_range.h"

namespace leveldb {
class Iterator;
class Snapshot;
}  // namespace leveldb

namespace storage {

class Database;

// A row's value and the timestamp of the write that left it.
struct Cell {
  runtime::Timestamp timestamp;
  std::string value;

  friend bool operator==(const Cell&, const Cell&) = default;
};

// One version of a key; without a value it is a deletion.
struct Version {
  runtime::Timestamp timestamp;
  std::optional<std::string> value;

  friend bool operator==(const Version&, const Version&) = default;
};

struct Row {
  Key key;
  runtime::Timestamp timestamp;
  std::string value;

  friend bool operator==(const Row&, const Row&) = default;
};

enum class ScanOrder { kForward, kReverse };

struct ScanRequest {
  KeyRange range;
  runtime::Timestamp at;
  ScanOrder order = ScanOrder::kForward;
  // It stops after so many rows, or once they have so many bytes (at least one row is given).
  size_t rows_max = 1000;
  size_t bytes_max = 1 << 20;
};

struct ScanResult {
  std::vector<Row> rows;
  // What is left to scan; none when all of the range was.
  std::optional<KeyRange> rest;
};

struct StateEntry {
  Key key;
  std::string value;

  friend bool operator==(const StateEntry&, const StateEntry&) = default;
};

class View {
 public:
  View(View&&) noexcept;
  View& operator=(View&&) noexcept;
  ~View();

  GroupId group() const { return group_; }
  // Reads at or above it are answered.
  runtime::Timestamp horizon() const { return horizon_; }

  // The row of `key` at a timestamp; none if it was not there.
  absl::StatusOr<std::optional<Cell>> Get(absl::string_view key, runtime::Timestamp at);
  // The newest version of a key, be it a deletion.
  absl::StatusOr<std::optional<Version>> Newest(absl::string_view key);
  // The versions of a key at or below `from`, newest first. With fewer than `count_max` there are
  // no more; otherwise go on below the last. Below the horizon some may be missing.
  absl::StatusOr<std::vector<Version>> Versions(absl::string_view key, runtime::Timestamp from,
                                                size_t count_max);
  absl::StatusOr<ScanResult> Scan(const ScanRequest& request);

  // The group's own state.
  absl::StatusOr<std::optional<std::string>> State(absl::string_view key);
  // The entries of a range of its keys. With fewer than `count_max` there are no more; otherwise go
  // on at KeyAfter() the last.
  absl::StatusOr<std::vector<StateEntry>> ScanState(const KeyRange& range, size_t count_max);
  // What ApplyBatch::SetApplied left; none for a group that has applied nothing.
  absl::StatusOr<std::optional<std::string>> Applied();

  // OK, or OUT_OF_RANGE below the horizon.
  absl::Status CheckHorizon(runtime::Timestamp at) const;

  // For what is inside storage/: the pinned state itself. The iterator lives as long as the view,
  // and is shared with the reads above. Who walks over a whole range leaves the cache to them.
  Database& database() { return *database_; }
  const leveldb::Snapshot* snapshot() const { return snapshot_; }
  enum class Caching { kFill, kLeave };
  absl::StatusOr<leveldb::Iterator*> iterator(Caching caching);
  // OK, or what went wrong below the iterator. Asked before anything is made of what was read:
  // LevelDB's iterators skip a bad block and go on, and only their status tells.
  absl::Status IteratorStatus();

 private:
  friend class Database;
  View(std::shared_ptr<Database> database, const leveldb::Snapshot* snapshot, GroupId group);
  // Moves the iterator to the newest version of a key at or below `at`. The stored key, or none.
  absl::StatusOr<std::optional<Version>> VersionAt(absl::string_view key, runtime::Timestamp at);
  void Release();

  std::shared_ptr<Database> database_;
  const leveldb::Snapshot* snapshot_ = nullptr;
  std::unique_ptr<leveldb::Iterator> iterator_;  // Made by the first read that needs it.
  GroupId group_;
  runtime::Timestamp horizon_;
};

}  // namespace storage

#endif  // STORAGE_VIEW_H_
