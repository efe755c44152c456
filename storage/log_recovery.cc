#include "storage/log_recovery.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "storage/log_scan.h"

namespace storage {
namespace {

constexpr int kReadAttempts = 3;

absl::Status Missing(SegmentNumber segment) {
  return absl::DataLossError(absl::StrCat("log segment ", segment, " is missing"));
}

// The error, saying which segment it is about.
absl::Status InSegment(const absl::Status& status, const std::string& directory,
                       SegmentNumber segment) {
  return {status.code(),
          absl::StrCat(SegmentPath(directory, segment), ": ", std::string(status.message()))};
}

absl::StatusOr<LoadedSegment> LoadOnce(leveldb::Env* files, const std::string& directory,
                                       SegmentNumber segment,
                                       std::optional<uint64_t> end_sequence) {
  LoadedSegment loaded;
  ASSIGN_OR_RETURN(loaded.bytes, SegmentBytes::Read(files, directory, segment));
  absl::StatusOr<SegmentScan> scan = ScanSegment(loaded.bytes.view(), end_sequence);
  if (!scan.ok()) return InSegment(scan.status(), directory, segment);
  loaded.scan = *std::move(scan);
  if (loaded.scan.header.segment != segment) {
    return InSegment(absl::DataLossError("holds another segment"), directory, segment);
  }
  return loaded;
}

class Recovery {
 public:
  Recovery(leveldb::Env* files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  absl::StatusOr<RecoveredLog> Run() {
    ASSIGN_OR_RETURN(found_, ListLogFiles(files_, directory_));
    const bool lost_newest =
        !found_.marks.empty() &&
        (found_.segments.empty() || found_.marks.back() > found_.segments.back());
    if (lost_newest) return Missing(found_.marks.back());
    RETURN_IF_ERROR(FindTail());
    if (!tail_.has_value()) return std::move(log_);  // A new log.
    log_.leftovers.marks = found_.marks;
    RETURN_IF_ERROR(ApplyAll());
    return std::move(log_);
  }

 private:
  // The last segment that holds a batch; none if the log is new.
  absl::Status FindTail() {
    if (found_.segments.empty()) return absl::OkStatus();
    tail_segment_ = found_.segments.back();
    ASSIGN_OR_RETURN(tail_, LoadTail(tail_segment_));
    if (!tail_.has_value()) {
      // It was being made when the program ended. The first one has none before it.
      if (tail_segment_ == 1) return absl::OkStatus();
      --tail_segment_;
      if (!Has(tail_segment_)) return Missing(tail_segment_);
      ASSIGN_OR_RETURN(tail_, LoadTail(tail_segment_));
      // What the newer one does not hold was synced before it was begun.
      if (!tail_.has_value() || tail_->scan.batches.back().sequence + 1 < proven_sequence_) {
        return InSegment(absl::DataLossError("it ends early, though another was begun after it"),
                         directory_, tail_segment_);
      }
    }
    return absl::OkStatus();
  }

  // As the last segment; nothing if no batch ever was in it.
  absl::StatusOr<std::optional<LoadedSegment>> LoadTail(SegmentNumber segment) {
    absl::StatusOr<LoadedSegment> loaded = LoadSegment(files_, directory_, segment, std::nullopt);
    if (loaded.ok()) {
      if (loaded->scan.batches.empty()) {
        proven_sequence_ = loaded->scan.header.first_sequence;
        return std::optional<LoadedSegment>();
      }
      return std::optional<LoadedSegment>(*std::move(loaded));
    }
    if (!absl::IsDataLoss(loaded.status())) return loaded.status();
    // A head without a whole header was torn, if nothing follows it: it is synced before anything
    // does.
    uint64_t size = 0;
    RETURN_IF_ERROR(FromFiles(files_->GetFileSize(SegmentPath(directory_, segment), &size)));
    if (size > kSegmentHeadBytes) return loaded.status();
    return std::optional<LoadedSegment>();
  }

  absl::Status ApplyAll() {
    const ScannedBatch& last = tail_->scan.batches.back();
    const SegmentNumber first_segment = last.first_segment;
    for (const SegmentNumber segment : found_.segments) {
      if (segment < first_segment) log_.leftovers.segments.push_back(segment);
    }
    for (SegmentNumber segment = first_segment; segment < tail_segment_; ++segment) {
      if (!Has(segment)) return Missing(segment);
      RETURN_IF_ERROR(ApplyOlder(segment));
    }
    const uint64_t sequence = last.sequence;
    log_.tail = {.sequence = sequence,
                 .segment = tail_segment_ + 1,
                 .payload = std::string(last.payload.data(), last.payload.size())};
    tail_->scan.batches.pop_back();
    return Apply(tail_segment_, *tail_);
  }

  absl::Status ApplyOlder(SegmentNumber segment) {
    uint64_t end_sequence = tail_->scan.header.first_sequence;
    if (segment + 1 < tail_segment_) {
      if (!Has(segment + 1)) return Missing(segment + 1);
      ASSIGN_OR_RETURN(SegmentReader next, SegmentReader::Open(files_, directory_, segment + 1));
      ASSIGN_OR_RETURN(const std::string head, next.Read(0, kSegmentHeadBytes));
      int bad_copies = 0;  // They are counted when it is that segment's turn.
      const absl::StatusOr<SegmentHeader> header = DecodeSegmentHead(head, &bad_copies);
      if (!header.ok()) return InSegment(header.status(), directory_, segment + 1);
      end_sequence = header->first_sequence;
    }
    ASSIGN_OR_RETURN(const LoadedSegment loaded,
                     LoadSegment(files_, directory_, segment, end_sequence));
    return Apply(segment, loaded);
  }

  absl::Status Apply(SegmentNumber segment, const LoadedSegment& loaded) {
    if (loaded.scan.header.first_sequence < sequence_) {
      return InSegment(absl::DataLossError("it begins before the segment before it"), directory_,
                       segment);
    }
    sequence_ = loaded.scan.header.first_sequence;
    log_.index.AddSegment(segment, sequence_);
    log_.index.SetFileBytes(loaded.bytes.view().size());
    for (const ScannedBatch& batch : loaded.scan.batches) {
      const BatchPlace place = {segment, batch.payload_offset, batch.twin_distance};
      RETURN_IF_ERROR(log_.index.Apply(batch.payload, place, &log_.metas));
    }
    if (loaded.scan.bad_copies > 0) {
      log_.bad_copies += loaded.scan.bad_copies;
      log_.clean_through = segment;
    }
    return absl::OkStatus();
  }

  bool Has(SegmentNumber segment) const {
    return std::binary_search(found_.segments.begin(), found_.segments.end(), segment);
  }

  leveldb::Env* const files_;
  const std::string directory_;
  LogFiles found_;
  SegmentNumber tail_segment_ = 0;
  std::optional<LoadedSegment> tail_;
  // Batches below it were synced, though the last segment holds none yet.
  uint64_t proven_sequence_ = 0;
  uint64_t sequence_ = 0;  // Where the segment begins that was applied last.
  RecoveredLog log_;
};

}  // namespace

absl::StatusOr<LoadedSegment> LoadSegment(leveldb::Env* files, const std::string& directory,
                                          SegmentNumber segment,
                                          std::optional<uint64_t> end_sequence) {
  absl::StatusOr<LoadedSegment> loaded = absl::UnknownError("");
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    loaded = LoadOnce(files, directory, segment, end_sequence);
    if (!absl::IsDataLoss(loaded.status())) break;
  }
  return loaded;
}

absl::StatusOr<RecoveredLog> RecoverLog(leveldb::Env* files, const std::string& directory) {
  return Recovery(files, directory).Run();
}

}  // namespace storage
