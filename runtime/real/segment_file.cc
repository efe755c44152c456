#include "runtime/real/segment_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace real {
namespace {

// What is larger costs more than its journal entry, and would write as many zeros again.
constexpr size_t kSmall = 64 << 10;
// What the buffer may hold before it is written.
constexpr size_t kBuffer = 1 << 20;

}  // namespace

leveldb::Status SegmentFile::Make(const std::string& path, leveldb::WritableFile** file) {
  *file = nullptr;
  FileDescriptor opened(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!opened.open()) return leveldb::Status::IOError(path, strerror(errno));
  *file = new SegmentFile(std::move(opened), path);
  return leveldb::Status::OK();
}

leveldb::Status SegmentFile::Failed(const char* what) const {
  return leveldb::Status::IOError(path_ + ": " + what, strerror(errno));
}

leveldb::Status SegmentFile::Append(const leveldb::Slice& data) {
  buffer_.append(data.data(), data.size());
  return buffer_.size() < kBuffer ? leveldb::Status::OK() : Flush();
}

leveldb::Status SegmentFile::Flush() { return Write(0); }

leveldb::Status SegmentFile::Write(size_t zeros) {
  const size_t content = buffer_.size();
  buffer_.append(zeros, '\0');
  for (size_t written = 0; written < buffer_.size();) {
    const ssize_t done = pwrite(file_.number(), buffer_.data() + written, buffer_.size() - written,
                                static_cast<off_t>(end_ + written));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      buffer_.clear();  // Nothing of it reaches the file later.
      return Failed("write");
    }
    written += static_cast<size_t>(done);
  }
  zeroed_ = std::max(zeroed_, end_ + buffer_.size());
  end_ += content;
  buffer_.clear();
  return leveldb::Status::OK();
}

leveldb::Status SegmentFile::Sync() {
  const bool outgrows = end_ + buffer_.size() > zeroed_;
  const bool small = !buffer_.empty() && buffer_.size() < kSmall;
  if (leveldb::Status written = Write(outgrows && small ? kZerosAhead : 0); !written.ok()) {
    return written;
  }
  return fdatasync(file_.number()) == 0 ? leveldb::Status::OK() : Failed("fdatasync");
}

leveldb::Status SegmentFile::Close() {
  if (!file_.open()) return leveldb::Status::OK();
  leveldb::Status closed = Flush();
  if (closed.ok() && zeroed_ > end_ && ftruncate(file_.number(), static_cast<off_t>(end_)) != 0) {
    closed = Failed("ftruncate");
  }
  file_ = FileDescriptor();
  return closed;
}

}  // namespace real
