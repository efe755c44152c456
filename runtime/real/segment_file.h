// SegmentFile: a file for records that are synced one by one, each with as little as a disk can do.
//
// A file that grows has a new length with each sync, which makes the file system commit its journal
// too, and three of them on one disk wait for each other. So it is filled with zeros ahead of small
// writes, a piece at a time, and is cut to its content when it is closed. After a crash up to
// kZerosAhead zero bytes may follow what was written.
//
// One thread at a time, as LevelDB's files are. What was appended is written by Flush() or Sync().
#ifndef RUNTIME_REAL_SEGMENT_FILE_H_
#define RUNTIME_REAL_SEGMENT_FILE_H_

#include <leveldb/env.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/real/file_descriptor.h"

namespace real {

class SegmentFile final : public leveldb::WritableFile {
 public:
  static constexpr size_t kZerosAhead = 256 << 10;

  // Makes the file, or cuts it to nothing.
  static leveldb::Status Make(const std::string& path, leveldb::WritableFile** file);
  ~SegmentFile() override { Close(); }

  leveldb::Status Append(const leveldb::Slice& data) override;
  leveldb::Status Flush() override;
  leveldb::Status Sync() override;
  leveldb::Status Close() override;

 private:
  SegmentFile(FileDescriptor file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  // Writes what is in the buffer, and `zeros` bytes behind it.
  leveldb::Status Write(size_t zeros);
  leveldb::Status Failed(const char* what) const;

  FileDescriptor file_;  // Not open once it was closed.
  const std::string path_;
  std::string buffer_;
  uint64_t end_ = 0;     // Of the content in the file.
  uint64_t zeroed_ = 0;  // Up to here the file has its length: at least end_.
};

}  // namespace real

#endif  // RUNTIME_REAL_SEGMENT_FILE_H_
