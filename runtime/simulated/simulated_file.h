// The files that SimulatedEnv opens. Before every operation each looks whether its Env was closed.
#ifndef RUNTIME_SIMULATED_SIMULATED_FILE_H_
#define RUNTIME_SIMULATED_SIMULATED_FILE_H_

#include <leveldb/env.h>

#include <cstdarg>
#include <memory>
#include <string>
#include <utility>

#include "runtime/simulated/simulated_disk.h"

namespace simulated {

// What an Env shares with its files, which LevelDB may keep longer.
struct EnvState {
  // The incarnation is over.
  bool closed = false;
  // A log could not be synced when it was closed. LevelDB asks for no answer there, so all that
  // follows fails instead.
  bool log_lost = false;

  leveldb::Status Check(const std::string& path) const;
};

// What the three kinds of files have in common.
class OpenFile {
 public:
  OpenFile(SimulatedDisk* disk, std::string path, SimulatedDisk::FilePtr file,
           std::shared_ptr<EnvState> env)
      : disk_(*disk), path_(std::move(path)), file_(std::move(file)), env_(std::move(env)) {}

  leveldb::Status Check() const { return env_->Check(path_); }
  leveldb::Status Read(uint64_t offset, size_t size, leveldb::Slice* result, char* scratch) const;
  leveldb::Status Append(const leveldb::Slice& data) const;
  leveldb::Status Sync() const;

  EnvState& env() const { return *env_; }
  SimulatedDisk& disk() const { return disk_; }
  const std::string& path() const { return path_; }
  size_t size() const { return file_->data.size(); }
  bool synced() const { return file_->appended.empty(); }

 private:
  SimulatedDisk& disk_;
  const std::string path_;
  const SimulatedDisk::FilePtr file_;
  const std::shared_ptr<EnvState> env_;
};

class SimulatedSequentialFile final : public leveldb::SequentialFile {
 public:
  explicit SimulatedSequentialFile(OpenFile file) : file_(std::move(file)) {}
  leveldb::Status Read(size_t size, leveldb::Slice* result, char* scratch) override;
  leveldb::Status Skip(uint64_t size) override;

 private:
  OpenFile file_;
  uint64_t position_ = 0;
};

class SimulatedRandomAccessFile final : public leveldb::RandomAccessFile {
 public:
  explicit SimulatedRandomAccessFile(OpenFile file) : file_(std::move(file)) {}
  leveldb::Status Read(uint64_t offset, size_t size, leveldb::Slice* result,
                       char* scratch) const override {
    return file_.Read(offset, size, result, scratch);
  }

 private:
  OpenFile file_;
};

class SimulatedWritableFile final : public leveldb::WritableFile {
 public:
  explicit SimulatedWritableFile(OpenFile file) : file_(std::move(file)) {}
  // LevelDB destroys its log without closing it.
  ~SimulatedWritableFile() override { Close(); }
  leveldb::Status Append(const leveldb::Slice& data) override { return file_.Append(data); }
  leveldb::Status Close() override;
  leveldb::Status Flush() override;
  leveldb::Status Sync() override { return file_.Sync(); }

 private:
  bool IsLog() const;

  OpenFile file_;
  bool is_closed_ = false;
};

// LevelDB's own log lines, into the trace.
class SimulatedLogger final : public leveldb::Logger {
 public:
  SimulatedLogger(Recorder* recorder, NodeId node) : recorder_(*recorder), node_(node) {}
  void Logv(const char* format, std::va_list arguments) override;

 private:
  Recorder& recorder_;
  const NodeId node_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_FILE_H_
