// LogIndex: where on disk everything lives that the log still needs, and how much of each segment
// does.
//
// It is built by applying batches in the order they are on disk, at recovery and while running
// alike, always after they are durable. Lives on the log store's loop.
//
// Invariants: (1) segments have adjacent numbers, oldest first;
//             (2) live_bytes of a segment is the sum over the records that are live in it;
//             (3) entries of a group ascend, and none is below its truncated_before.
#ifndef STORAGE_LOG_INDEX_H_
#define STORAGE_LOG_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/log_format.h"

namespace storage {

// Where a record's bytes are.
struct LogPlace {
  SegmentNumber segment = 0;  // 0: nowhere.
  uint32_t offset = 0;        // Of the bytes, in the batch's first copy.
  uint32_t size = 0;
  uint32_t twin_distance = 0;  // From there to the same bytes in the twin.

  friend bool operator==(const LogPlace&, const LogPlace&) = default;
};

struct PlacedEntry {
  Slot slot;
  LogPlace place;
};

// Where the payload of a batch is.
struct BatchPlace {
  SegmentNumber segment = 0;
  uint32_t payload_offset = 0;
  uint32_t twin_distance = 0;
};

// What a group keeps in the log, without the bytes. Small: there are thousands.
struct LogGroup {
  LogPlace meta;
  SegmentNumber truncated_in = 0;  // The segment that says so; 0: it never was.
  Slot truncated_before;
  // Of `entries`, so many at the beginning are dropped; they go when they are most of it.
  uint32_t dropped = 0;
  std::vector<PlacedEntry> entries;
};

struct LogSegment {
  SegmentNumber number = 0;
  uint64_t first_sequence = 0;
  uint64_t file_bytes = 0;
  uint64_t live_bytes = 0;
};

class LogIndex {
 public:
  using Metas = std::map<GroupId, std::string>;

  // A new newest segment. The first one may have any number.
  void AddSegment(SegmentNumber number, uint64_t first_sequence);
  // The newest segment has grown.
  void SetFileBytes(uint64_t bytes);
  // The oldest segment, in which nothing lives, is no longer needed. It is not the newest.
  void DropFirstSegment();

  // A batch of the newest segment is durable. The latest metadata goes to `metas` too, if given.
  // DATA_LOSS if its records make no sense.
  absl::Status Apply(absl::string_view payload, BatchPlace batch, Metas* metas);

  // Whether the record, which stands at `place`, still counts. `place.offset` and `size` are those
  // of its bytes, if it has any.
  bool IsLive(const LogRecord& record, const LogPlace& place) const;

  // The entries of [from, to) up to `bytes_max`, but at least one.
  std::vector<PlacedEntry> Find(GroupId group, Slot from, Slot to, size_t bytes_max) const;

  const absl::btree_map<GroupId, LogGroup>& groups() const { return groups_; }
  const std::deque<LogSegment>& segments() const { return segments_; }
  uint64_t file_bytes() const { return file_bytes_; }
  uint64_t live_bytes() const { return live_bytes_; }

  // The first and last slots that hold something; 0 if none does.
  static Slot FirstSlot(const LogGroup& group);
  static Slot LastSlot(const LogGroup& group);

 private:
  void ApplyRecord(const LogRecord& record, const LogPlace& place);
  void PutEntry(LogGroup* group, Slot slot, const LogPlace& place);
  void Truncate(LogGroup* group, Slot before, SegmentNumber said_in);
  void Erase(GroupId group);
  void Born(SegmentNumber segment, uint64_t bytes);
  void Died(SegmentNumber segment, uint64_t bytes);

  absl::btree_map<GroupId, LogGroup> groups_;
  std::deque<LogSegment> segments_;
  uint64_t file_bytes_ = 0;  // Of all segments,
  uint64_t live_bytes_ = 0;  // and what lives in them, counted once.
};

}  // namespace storage

#endif  // STORAGE_LOG_INDEX_H_
