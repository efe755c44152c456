// ScanSegment: what a segment's bytes hold, both copies of everything checked (PX-CHECKSUM).
//
// It tells a torn tail from lost data. A batch is begun only when the one before it has been
// synced, so nothing valid can follow a batch that was torn; where something does, what is missing
// had been acknowledged. Pure.
#ifndef STORAGE_LOG_SCAN_H_
#define STORAGE_LOG_SCAN_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/log_format.h"

namespace storage {

struct ScannedBatch {
  uint64_t sequence = 0;
  SegmentNumber first_segment = 0;
  uint32_t payload_offset = 0;  // In the first copy.
  uint32_t twin_distance = 0;   // From there to the same in the twin.
  absl::string_view payload;    // Of a whole copy, in the bytes that were scanned.
};

struct SegmentScan {
  SegmentHeader header;
  std::vector<ScannedBatch> batches;
  // Copies of synced data that are bad, while their twins are whole.
  int bad_copies = 0;
};

// A segment's header from kSegmentHeadBytes bytes, by either copy; `bad_copies` is added to.
absl::StatusOr<SegmentHeader> DecodeSegmentHead(absl::string_view bytes, int* bad_copies);

// Of a segment that has a successor, `end_sequence` is the first batch that is not its own: all
// before must be there. Without it this is the last segment, which ends where a crash tore it; of
// its very last batch one copy may be missing. `bytes` are at most 4 GiB.
// DATA_LOSS, or FAILED_PRECONDITION for an unknown format version.
absl::StatusOr<SegmentScan> ScanSegment(absl::string_view bytes,
                                        std::optional<uint64_t> end_sequence);

}  // namespace storage

#endif  // STORAGE_LOG_SCAN_H_
