#include "storage/log_segment.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "storage/crc32c.h"

namespace storage {
namespace {

constexpr absl::string_view kSegmentSuffix = ".segment";
constexpr absl::string_view kMarkPrefix = "MANIFEST-";

std::string MarkPath(const std::string& directory, SegmentNumber segment) {
  return absl::StrFormat("%s/%s%010u", directory, kMarkPrefix, segment);
}

bool ParseNumber(absl::string_view text, SegmentNumber* number) {
  return absl::SimpleAtoi(text, number) && *number > 0;
}

leveldb::Slice Slice(absl::string_view bytes) { return {bytes.data(), bytes.size()}; }

// Says durably that the segment is there: its name, and with it the segment's.
absl::Status WriteMark(leveldb::Env* files, const std::string& directory, SegmentNumber segment) {
  leveldb::WritableFile* opened = nullptr;
  RETURN_IF_ERROR(FromFiles(files->NewWritableFile(MarkPath(directory, segment), &opened)));
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  RETURN_IF_ERROR(
      FromFiles(file->Append("The segment of this number is the newest of the log.\n")));
  RETURN_IF_ERROR(FromFiles(file->Sync()));
  return FromFiles(file->Close());
}

}  // namespace

absl::Status FromFiles(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = status.ToString();
  const std::string lower = absl::AsciiStrToLower(text);
  if (absl::StrContains(lower, "no space left") || absl::StrContains(lower, "quota exceeded")) {
    return absl::ResourceExhaustedError(absl::StrCat("the log's disk is full: ", text));
  }
  return absl::UnavailableError(absl::StrCat("the log's disk failed: ", text));
}

std::string SegmentPath(const std::string& directory, SegmentNumber segment) {
  return absl::StrFormat("%s/%010u%s", directory, segment, kSegmentSuffix);
}

absl::StatusOr<LogFiles> ListLogFiles(leveldb::Env* files, const std::string& directory) {
  // That it exists already is no error; what else may be wrong shows when it is read.
  files->CreateDir(directory);
  std::vector<std::string> names;
  RETURN_IF_ERROR(FromFiles(files->GetChildren(directory, &names)));
  LogFiles found;
  for (const std::string& text : names) {
    absl::string_view name = text;
    SegmentNumber number = 0;
    if (absl::ConsumeSuffix(&name, kSegmentSuffix) && ParseNumber(name, &number)) {
      found.segments.push_back(number);
    } else if (absl::ConsumePrefix(&name, kMarkPrefix) && ParseNumber(name, &number)) {
      found.marks.push_back(number);
    }
  }
  std::sort(found.segments.begin(), found.segments.end());
  std::sort(found.marks.begin(), found.marks.end());
  return found;
}

void RemoveMark(leveldb::Env* files, const std::string& directory, SegmentNumber segment) {
  // One that stays says nothing wrong, and the next start removes it.
  files->RemoveFile(MarkPath(directory, segment));
}

absl::Status RemoveSegment(leveldb::Env* files, const std::string& directory,
                           SegmentNumber segment) {
  return FromFiles(files->RemoveFile(SegmentPath(directory, segment)));
}

absl::StatusOr<SegmentBytes> SegmentBytes::Read(leveldb::Env* files, const std::string& directory,
                                                SegmentNumber segment) {
  const std::string path = SegmentPath(directory, segment);
  uint64_t size = 0;
  RETURN_IF_ERROR(FromFiles(files->GetFileSize(path, &size)));
  if (size > std::numeric_limits<uint32_t>::max()) {
    return absl::DataLossError(absl::StrCat(path, " is longer than any log segment"));
  }
  leveldb::SequentialFile* opened = nullptr;
  RETURN_IF_ERROR(FromFiles(files->NewSequentialFile(path, &opened)));
  const std::unique_ptr<leveldb::SequentialFile> file(opened);
  SegmentBytes bytes;
  bytes.bytes_ = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(size));
  while (bytes.size_ < size) {
    char* const scratch = bytes.bytes_.get() + bytes.size_;
    leveldb::Slice part;
    RETURN_IF_ERROR(FromFiles(file->Read(static_cast<size_t>(size) - bytes.size_, &part, scratch)));
    if (part.empty()) break;
    if (part.data() != scratch) std::copy_n(part.data(), part.size(), scratch);
    bytes.size_ += part.size();
  }
  return bytes;
}

absl::StatusOr<SegmentReader> SegmentReader::Open(leveldb::Env* files, const std::string& directory,
                                                  SegmentNumber segment) {
  leveldb::SequentialFile* opened = nullptr;
  RETURN_IF_ERROR(FromFiles(files->NewSequentialFile(SegmentPath(directory, segment), &opened)));
  SegmentReader reader;
  reader.file_.reset(opened);
  return reader;
}

absl::StatusOr<std::string> SegmentReader::Read(uint64_t offset, size_t size) {
  CHECK_GE(offset, position_);
  RETURN_IF_ERROR(FromFiles(file_->Skip(offset - position_)));
  position_ = offset;
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    leveldb::Slice part;
    RETURN_IF_ERROR(FromFiles(file_->Read(size - have, &part, bytes.data() + have)));
    if (part.empty()) break;
    if (part.data() != bytes.data() + have) {
      std::copy_n(part.data(), part.size(), bytes.data() + have);
    }
    have += part.size();
  }
  bytes.resize(have);
  position_ += have;
  return bytes;
}

absl::StatusOr<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(leveldb::Env* files,
                                                                     const std::string& directory,
                                                                     SegmentHeader header) {
  leveldb::WritableFile* opened = nullptr;
  // It is cut to nothing but never removed: the mark may say already that it is there.
  RETURN_IF_ERROR(
      FromFiles(files->NewWritableFile(SegmentPath(directory, header.segment), &opened)));
  auto writer = std::unique_ptr<SegmentWriter>(
      new SegmentWriter(header, std::unique_ptr<leveldb::WritableFile>(opened)));
  RETURN_IF_ERROR(FromFiles(writer->file_->Append(EncodeSegmentHead(header))));
  RETURN_IF_ERROR(FromFiles(writer->file_->Sync()));
  RETURN_IF_ERROR(WriteMark(files, directory, header.segment));
  if (header.segment > 1) RemoveMark(files, directory, header.segment - 1);
  return writer;
}

absl::Status SegmentWriter::AppendCopy(const BatchHeader& header, const std::string& payload) {
  RETURN_IF_ERROR(FromFiles(file_->Append(EncodeBatchHeader(header))));
  return FromFiles(file_->Append(Slice(payload)));
}

absl::Status SegmentWriter::Append(uint64_t sequence, SegmentNumber first_segment,
                                   const std::string& payload) {
  CHECK_LE(payload.size(), kBatchPayloadBytesMax);
  BatchHeader header = {.copy = BatchCopy::kFirst,
                        .payload_bytes = static_cast<uint32_t>(payload.size()),
                        .payload_crc = Crc32c(payload),
                        .first_segment = first_segment,
                        .salt = header_.salt,
                        .sequence = sequence};
  const uint64_t first_end = size_ + kBatchHeaderBytes + payload.size();
  const std::string gap(static_cast<size_t>(BatchTwinOffset(size_, payload.size()) - first_end),
                        '\0');
  RETURN_IF_ERROR(AppendCopy(header, payload));
  RETURN_IF_ERROR(FromFiles(file_->Append(gap)));
  header.copy = BatchCopy::kTwin;
  RETURN_IF_ERROR(AppendCopy(header, payload));
  RETURN_IF_ERROR(FromFiles(file_->Sync()));
  size_ = BatchEndOffset(size_, payload.size());
  return absl::OkStatus();
}

}  // namespace storage
