#include "runtime/real/host_files.h"

#include <utility>

#include "absl/strings/match.h"
#include "runtime/real/segment_file.h"

namespace real {
namespace {

using LogLost = std::shared_ptr<std::atomic<bool>>;

leveldb::Status Check(const LogLost& log_lost, const std::string& path) {
  if (!log_lost->load()) return leveldb::Status::OK();
  return leveldb::Status::IOError(path, "a log could not be synced when it was closed");
}

// A write-ahead log. One thread at a time, as LevelDB's files are.
class LogFile final : public leveldb::WritableFile {
 public:
  LogFile(std::unique_ptr<leveldb::WritableFile> file, std::string path, LogLost log_lost)
      : file_(std::move(file)), path_(std::move(path)), log_lost_(std::move(log_lost)) {}
  // LevelDB destroys its log without closing it.
  ~LogFile() override { Close(); }

  leveldb::Status Append(const leveldb::Slice& data) override {
    synced_ = false;
    const leveldb::Status status = Check(log_lost_, path_);
    return status.ok() ? file_->Append(data) : status;
  }
  leveldb::Status Flush() override { return file_->Flush(); }
  leveldb::Status Sync() override {
    leveldb::Status status = Check(log_lost_, path_);
    if (status.ok()) status = file_->Sync();
    synced_ = status.ok();
    return status;
  }
  leveldb::Status Close() override {
    if (closed_) return leveldb::Status::OK();
    closed_ = true;
    const leveldb::Status synced = synced_ ? leveldb::Status::OK() : file_->Sync();
    if (!synced.ok()) log_lost_->store(true);
    const leveldb::Status closed = file_->Close();
    return synced.ok() ? closed : synced;
  }

 private:
  const std::unique_ptr<leveldb::WritableFile> file_;
  const std::string path_;
  const LogLost log_lost_;
  bool synced_ = true;  // Nothing was appended since the last sync that succeeded.
  bool closed_ = false;
};

// Puts the promise over a file that was just opened.
leveldb::Status Wrap(leveldb::Status opened, const std::string& path, const LogLost& log_lost,
                     leveldb::WritableFile** file) {
  if (opened.ok() && absl::EndsWith(path, ".log")) {
    *file = new LogFile(std::unique_ptr<leveldb::WritableFile>(*file), path, log_lost);
  }
  return opened;
}

}  // namespace

leveldb::Status HostFiles::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
  const leveldb::Status status = Check(log_lost_, path);
  if (!status.ok()) return status;
  if (absl::EndsWith(path, ".segment")) return SegmentFile::Make(path, file);
  return Wrap(target()->NewWritableFile(path, file), path, log_lost_, file);
}

leveldb::Status HostFiles::NewAppendableFile(const std::string& path,
                                             leveldb::WritableFile** file) {
  const leveldb::Status status = Check(log_lost_, path);
  if (!status.ok()) return status;
  return Wrap(target()->NewAppendableFile(path, file), path, log_lost_, file);
}

}  // namespace real
