#include "runtime/simulated/simulated_file.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace simulated {

leveldb::Status EnvState::Check(const std::string& path) const {
  if (closed) return leveldb::Status::IOError(path, "the node has crashed");
  if (log_lost) return leveldb::Status::IOError(path, "a log could not be synced before");
  return leveldb::Status::OK();
}

leveldb::Status OpenFile::Read(uint64_t offset, size_t size, leveldb::Slice* result,
                               char* scratch) const {
  *result = leveldb::Slice();
  leveldb::Status status = Check();
  if (!status.ok()) return status;
  size_t read = 0;
  status = disk_.Read(path_, file_, offset, size, scratch, &read);
  if (status.ok()) *result = leveldb::Slice(scratch, read);
  return status;
}

leveldb::Status OpenFile::Append(const leveldb::Slice& data) const {
  const leveldb::Status status = Check();
  return status.ok() ? disk_.Append(path_, file_, {data.data(), data.size()}) : status;
}

leveldb::Status OpenFile::Sync() const {
  const leveldb::Status status = Check();
  return status.ok() ? disk_.Sync(path_, file_) : status;
}

leveldb::Status SimulatedSequentialFile::Read(size_t size, leveldb::Slice* result, char* scratch) {
  const leveldb::Status status = file_.Read(position_, size, result, scratch);
  position_ += result->size();
  return status;
}

leveldb::Status SimulatedSequentialFile::Skip(uint64_t size) {
  position_ = std::min<uint64_t>(position_ + size, file_.size());
  return file_.Check();
}

bool SimulatedWritableFile::IsLog() const { return absl::EndsWith(file_.path(), ".log"); }

leveldb::Status SimulatedWritableFile::Close() {
  leveldb::Status status = file_.Check();
  if (is_closed_ || !status.ok()) return status;
  is_closed_ = true;
  if (!IsLog() || !file_.disk().options().log_close_syncs || file_.synced()) return status;
  status = file_.Sync();
  if (!status.ok()) file_.env().log_lost = true;
  return status;
}

leveldb::Status SimulatedWritableFile::Flush() {
  const leveldb::Status status = file_.Check();
  // LevelDB holds no mutex while it writes to its log.
  if (status.ok() && IsLog()) file_.disk().MayRunBackgroundWork();
  return status;
}

void SimulatedLogger::Logv(const char* format, std::va_list arguments) {
  if (!recorder_.tracing()) return;
  char text[500];
  const int length = std::vsnprintf(text, sizeof(text), format, arguments);
  if (length > 0) recorder_.Trace(node_, absl::StrCat("leveldb ", text));
}

}  // namespace simulated
