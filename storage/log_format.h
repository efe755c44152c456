// The bytes of a log segment: its header, the batches in it, the records in a batch. What they mean
// is docs/formats.md, "Log segments". Pure functions; any bytes decode to a value or an error, and
// no length is believed before it was checked.
#ifndef STORAGE_LOG_FORMAT_H_
#define STORAGE_LOG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"

namespace storage {

constexpr uint32_t kLogFormatVersion = 1;

// No two copies of anything share a page: a disk that loses or tears one leaves the other.
constexpr size_t kLogPageBytes = 4096;

constexpr uint64_t RoundUpToPage(uint64_t offset) {
  return (offset + kLogPageBytes - 1) / kLogPageBytes * kLogPageBytes;
}

// Segments are numbered from 1; 0 is none.
using SegmentNumber = uint32_t;

struct SegmentHeader {
  SegmentNumber segment = 0;
  // The oldest segment that was still needed when this one was made.
  SegmentNumber first_segment = 0;
  // Drawn for each segment and repeated in its batches: nothing else looks like one of them, not
  // even bytes that a user stored in order to.
  uint64_t salt = 0;
  // The sequence number of its first batch. What the segment before holds from that number on does
  // not count.
  uint64_t first_sequence = 0;

  friend bool operator==(const SegmentHeader&, const SegmentHeader&) = default;
};

constexpr size_t kSegmentHeaderBytes = 64;
// Where the copy of the header begins, and where the first batch does.
constexpr size_t kSegmentTwinOffset = kLogPageBytes;
constexpr size_t kSegmentHeadBytes = kSegmentTwinOffset + kSegmentHeaderBytes;

// Both copies and the gap between them: kSegmentHeadBytes bytes.
std::string EncodeSegmentHead(const SegmentHeader& header);

// One copy, from its kSegmentHeaderBytes. FAILED_PRECONDITION for a whole header of another format
// version, DATA_LOSS for anything else that is none.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(absl::string_view bytes);

enum class BatchCopy { kFirst, kTwin };

struct BatchHeader {
  BatchCopy copy = BatchCopy::kFirst;
  uint32_t payload_bytes = 0;
  uint32_t payload_crc = 0;
  // The oldest segment that is needed once this batch is durable.
  SegmentNumber first_segment = 0;
  uint64_t salt = 0;
  // Counts from 1, without gaps, across segments.
  uint64_t sequence = 0;

  friend bool operator==(const BatchHeader&, const BatchHeader&) = default;
};

constexpr size_t kBatchHeaderBytes = 36;
// No longer batch is written, or believed.
constexpr uint32_t kBatchPayloadBytesMax = 64 << 20;

// Where the twin of the batch copy at `offset` begins, and what follows both.
constexpr uint64_t BatchTwinOffset(uint64_t offset, uint64_t payload_bytes) {
  return RoundUpToPage(offset + kBatchHeaderBytes + payload_bytes);
}
constexpr uint64_t BatchEndOffset(uint64_t offset, uint64_t payload_bytes) {
  return BatchTwinOffset(offset, payload_bytes) + kBatchHeaderBytes + payload_bytes;
}

std::string EncodeBatchHeader(const BatchHeader& header);

// From the beginning of `bytes`; DATA_LOSS if no whole header is there. The payload is not looked
// at.
absl::StatusOr<BatchHeader> DecodeBatchHeader(absl::string_view bytes);

// What a batch is made of.
enum class RecordKind : uint8_t { kErase = 1, kMeta = 2, kEntry = 3, kTruncate = 4 };

struct LogRecord {
  RecordKind kind = RecordKind::kErase;
  GroupId group = {};
  Slot slot = {};                // Of an entry or a truncation.
  absl::string_view bytes = {};  // Of metadata or an entry; into the payload.

  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

// At most what a record takes besides its bytes.
constexpr size_t kRecordOverheadMax = 32;
// Directly before an entry's bytes stands their checksum, which covers group and slot too.
constexpr size_t kEntryCrcBytes = 4;
uint32_t EntryCrc(GroupId group, Slot slot, absl::string_view bytes);

void AppendRecord(const LogRecord& record, std::string* payload);

// Walks the records of a payload.
class RecordReader {
 public:
  explicit RecordReader(absl::string_view payload) : rest_(payload) {}

  bool done() const { return rest_.empty(); }
  // The next record; DATA_LOSS if there is none that makes sense. Not when done(). Entries' own
  // checksums are not checked: those of the batch were.
  absl::StatusOr<LogRecord> Next();

 private:
  absl::string_view rest_;
};

}  // namespace storage

#endif  // STORAGE_LOG_FORMAT_H_
