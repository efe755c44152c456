// Segment files: their names, and the blocking work on them. The rest of the log store knows files
// only through this.
//
// A directory holds log segments of adjacent numbers, oldest first, and one empty-handed file
// `MANIFEST-<n>`: segment n has been there, so its loss is noticed though nothing follows it. Its
// name makes LevelDB's Env sync the directory together with it, which makes the segment's own name
// durable.
#ifndef STORAGE_LOG_SEGMENT_H_
#define STORAGE_LOG_SEGMENT_H_

#include <leveldb/env.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/log_format.h"

namespace storage {

// RESOURCE_EXHAUSTED if the disk is full, else UNAVAILABLE.
absl::Status FromFiles(const leveldb::Status& status);

std::string SegmentPath(const std::string& directory, SegmentNumber segment);

struct LogFiles {
  std::vector<SegmentNumber> segments;  // Ascending.
  std::vector<SegmentNumber> marks;     // The MANIFEST files, ascending.
};

// Makes the directory if need be.
absl::StatusOr<LogFiles> ListLogFiles(leveldb::Env* files, const std::string& directory);

void RemoveMark(leveldb::Env* files, const std::string& directory, SegmentNumber segment);
absl::Status RemoveSegment(leveldb::Env* files, const std::string& directory,
                           SegmentNumber segment);

// All of a segment's bytes.
class SegmentBytes {
 public:
  SegmentBytes() = default;
  static absl::StatusOr<SegmentBytes> Read(leveldb::Env* files, const std::string& directory,
                                           SegmentNumber segment);
  absl::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

// `size` bytes of a segment, fewer at its end. Reads ahead only.
class SegmentReader {
 public:
  static absl::StatusOr<SegmentReader> Open(leveldb::Env* files, const std::string& directory,
                                            SegmentNumber segment);
  // `offset` is not below the end of what was read before.
  absl::StatusOr<std::string> Read(uint64_t offset, size_t size);
  uint64_t position() const { return position_; }

 private:
  std::unique_ptr<leveldb::SequentialFile> file_;
  uint64_t position_ = 0;
};

// The segment that is being written. One call at a time; none after one that failed, since what a
// failed sync has lost cannot be had by another sync.
class SegmentWriter {
 public:
  // Makes the file, in place of one of that number that holds nothing acknowledged, and syncs its
  // head and its name before any batch can be written to it.
  static absl::StatusOr<std::unique_ptr<SegmentWriter>> Create(leveldb::Env* files,
                                                               const std::string& directory,
                                                               SegmentHeader header);

  // Writes both copies of a batch and syncs them.
  absl::Status Append(uint64_t sequence, SegmentNumber first_segment, const std::string& payload);

  const SegmentHeader& header() const { return header_; }
  // Where the next batch goes.
  uint64_t size() const { return size_; }

 private:
  SegmentWriter(SegmentHeader header, std::unique_ptr<leveldb::WritableFile> file)
      : header_(header), file_(std::move(file)) {}

  absl::Status AppendCopy(const BatchHeader& header, const std::string& payload);

  const SegmentHeader header_;
  const std::unique_ptr<leveldb::WritableFile> file_;
  uint64_t size_ = kSegmentHeadBytes;
};

}  // namespace storage

#endif  // STORAGE_LOG_SEGMENT_H_
