#include "storage/log_scan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "storage/crc32c.h"

namespace storage {
namespace {

absl::string_view From(absl::string_view bytes, uint64_t offset) {
  return bytes.substr(static_cast<size_t>(std::min<uint64_t>(offset, bytes.size())));
}

class Scanner {
 public:
  explicit Scanner(absl::string_view bytes) : bytes_(bytes) {}

  absl::Status ReadHeader() {
    ASSIGN_OR_RETURN(scan_.header, DecodeSegmentHead(bytes_, &scan_.bad_copies));
    sequence_ = scan_.header.first_sequence;
    return absl::OkStatus();
  }

  // Takes the batch that is next, if a copy of it is whole.
  bool ReadBatch() {
    const std::optional<BatchHeader> first = ReadCopy(BatchCopy::kFirst, offset_);
    std::optional<BatchHeader> twin;
    if (const auto header = HeaderAt(BatchCopy::kFirst, offset_); header.has_value()) {
      twin = ReadCopy(BatchCopy::kTwin, BatchTwinOffset(offset_, header->payload_bytes));
    } else {
      twin = FindTwin();
    }
    if (!first.has_value() && !twin.has_value()) return false;
    // The last one may have a single copy; that is known when no other follows.
    scan_.bad_copies += std::exchange(bad_copies_of_last_, 0);
    bad_copies_of_last_ = first.has_value() && twin.has_value() ? 0 : 1;
    const BatchHeader& header = first.has_value() ? *first : *twin;
    const uint64_t twin_offset = BatchTwinOffset(offset_, header.payload_bytes);
    const uint64_t good_offset = first.has_value() ? offset_ : twin_offset;
    scan_.batches.push_back(
        {.sequence = sequence_,
         .first_segment = header.first_segment,
         .payload_offset = static_cast<uint32_t>(offset_ + kBatchHeaderBytes),
         .twin_distance = static_cast<uint32_t>(twin_offset - offset_),
         .payload = From(bytes_, good_offset + kBatchHeaderBytes).substr(0, header.payload_bytes)});
    offset_ = BatchEndOffset(offset_, header.payload_bytes);
    ++sequence_;
    return true;
  }

  // Whether a batch that was begun after the present one had been synced is still to be seen.
  bool LaterBatchFollows() const {
    for (uint64_t at = offset_; at + kBatchHeaderBytes <= bytes_.size(); ++at) {
      const size_t found = bytes_.find("ISB", static_cast<size_t>(at));
      if (found == absl::string_view::npos) return false;
      at = found;
      const auto header = DecodeBatchHeader(From(bytes_, at));
      if (header.ok() && header->salt == scan_.header.salt && header->sequence > sequence_) {
        return true;
      }
    }
    return false;
  }

  uint64_t sequence() const { return sequence_; }
  SegmentScan Take(bool is_last) {
    if (!is_last) scan_.bad_copies += bad_copies_of_last_;
    return std::move(scan_);
  }

 private:
  // The header of the next batch in the copy at `offset`.
  std::optional<BatchHeader> HeaderAt(BatchCopy copy, uint64_t offset) const {
    const auto header = DecodeBatchHeader(From(bytes_, offset));
    if (!header.ok() || header->copy != copy || header->salt != scan_.header.salt ||
        header->sequence != sequence_) {
      return std::nullopt;
    }
    return *header;
  }

  // The same, if the whole copy is good.
  std::optional<BatchHeader> ReadCopy(BatchCopy copy, uint64_t offset) const {
    const std::optional<BatchHeader> header = HeaderAt(copy, offset);
    if (!header.has_value()) return std::nullopt;
    const absl::string_view payload = From(bytes_, offset + kBatchHeaderBytes);
    if (payload.size() < header->payload_bytes) return std::nullopt;
    if (Crc32c(payload.substr(0, header->payload_bytes)) != header->payload_crc)
      return std::nullopt;
    return header;
  }

  // The twin of the next batch when the first copy does not tell where it is: on some page boundary.
  std::optional<BatchHeader> FindTwin() const {
    const uint64_t last =
        std::min<uint64_t>(bytes_.size(), BatchTwinOffset(offset_, kBatchPayloadBytesMax));
    for (uint64_t at = BatchTwinOffset(offset_, 0); at < last; at += kLogPageBytes) {
      const std::optional<BatchHeader> header = HeaderAt(BatchCopy::kTwin, at);
      if (!header.has_value() || BatchTwinOffset(offset_, header->payload_bytes) != at) continue;
      return ReadCopy(BatchCopy::kTwin, at);
    }
    return std::nullopt;
  }

  const absl::string_view bytes_;
  SegmentScan scan_;
  uint64_t offset_ = kSegmentHeadBytes;  // Of the next batch,
  uint64_t sequence_ = 0;                // and its number.
  int bad_copies_of_last_ = 0;
};

}  // namespace

absl::StatusOr<SegmentHeader> DecodeSegmentHead(absl::string_view bytes, int* bad_copies) {
  const auto first = DecodeSegmentHeader(bytes);
  const auto twin = DecodeSegmentHeader(From(bytes, kSegmentTwinOffset));
  for (const auto* copy : {&first, &twin}) {
    if (absl::IsFailedPrecondition(copy->status())) return copy->status();
  }
  if (!first.ok() && !twin.ok()) {
    return absl::DataLossError("both copies of a log segment's header are bad");
  }
  if (first.ok() && twin.ok() && *first != *twin) {
    return absl::DataLossError("the copies of a log segment's header contradict each other");
  }
  if (!first.ok() || !twin.ok()) ++*bad_copies;
  return first.ok() ? first : twin;
}

absl::StatusOr<SegmentScan> ScanSegment(absl::string_view bytes,
                                        std::optional<uint64_t> end_sequence) {
  Scanner scanner(bytes);
  RETURN_IF_ERROR(scanner.ReadHeader());
  while (!end_sequence.has_value() || scanner.sequence() < *end_sequence) {
    if (scanner.ReadBatch()) continue;
    if (end_sequence.has_value() || scanner.LaterBatchFollows()) {
      return absl::DataLossError(
          absl::StrCat("both copies of log batch ", scanner.sequence(), " are bad"));
    }
    break;
  }
  return scanner.Take(!end_sequence.has_value());
}

}  // namespace storage
