// SnapshotChunk: a piece of a range snapshot as it travels (see range_snapshot.h).
//
// Encoded it ends with its checksum. Decoding any bytes gives a chunk that was encoded, or an
// error.
//
// Format: docs/formats.md, "Snapshot chunks".
#ifndef STORAGE_SNAPSHOT_CHUNK_H_
#define STORAGE_SNAPSHOT_CHUNK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/key_range.h"

namespace storage {

// Where in a snapshot one chunk ends and the next begins.
struct SnapshotPosition {
  // The next stored key is at or after it; "" is the beginning.
  std::string stored_key;
  // Of all chunks before.
  uint64_t chunks = 0;
  uint64_t entries = 0;
  uint32_t checksum = 0;

  friend bool operator==(const SnapshotPosition&, const SnapshotPosition&) = default;
};
// As a resume token; the beginning is "".
std::string EncodeSnapshotPosition(const SnapshotPosition& position);
absl::StatusOr<SnapshotPosition> DecodeSnapshotPosition(absl::string_view token);

// Points into whatever the bytes belong to.
struct SnapshotEntry {
  absl::string_view stored_key;
  absl::string_view sealed;

  friend bool operator==(const SnapshotEntry&, const SnapshotEntry&) = default;
};

struct SnapshotChunk {
  // What the last chunk says of the group.
  struct End {
    std::string applied;
    runtime::Timestamp horizon;

    friend bool operator==(const End&, const End&) = default;
  };

  uint64_t snapshot = 0;
  GroupId group;
  KeyRange range;
  SnapshotPosition begin;
  SnapshotPosition end;
  // In order, at or after begin.stored_key and before end.stored_key.
  std::vector<SnapshotEntry> entries;
  std::optional<End> last;  // In the last chunk only.
};

// The ranges of stored keys that a snapshot holds, in order.
std::vector<KeyRange> SnapshotRanges(GroupId group, const KeyRange& range);

// The running checksum after a chunk with these entries.
uint32_t ExtendSnapshotChecksum(uint32_t before, const std::vector<SnapshotEntry>& entries);

std::string EncodeSnapshotChunk(const SnapshotChunk& chunk);
// Entries point into `bytes`. Checks all that can be seen from the chunk alone: its checksums, the
// order and place of the entries, and the checksum of each.
absl::StatusOr<SnapshotChunk> DecodeSnapshotChunk(absl::string_view bytes);

}  // namespace storage

#endif  // STORAGE_SNAPSHOT_CHUNK_H_
