#include "runtime/simulated/simulated_env.h"

#include <utility>

#include "runtime/check.h"
#include "runtime/simulated/simulated_file.h"

namespace simulated {
namespace {

class SimulatedFileLock final : public leveldb::FileLock {
 public:
  explicit SimulatedFileLock(std::string its_path) : path(std::move(its_path)) {}
  const std::string path;
};

}  // namespace

SimulatedEnv::SimulatedEnv(SimulatedDisk* disk)
    : disk_(*disk), state_(std::make_shared<EnvState>()) {}

SimulatedEnv::~SimulatedEnv() { Close(); }

void SimulatedEnv::Close() { state_->closed = true; }

leveldb::Status SimulatedEnv::NewSequentialFile(const std::string& path,
                                                leveldb::SequentialFile** file) {
  *file = nullptr;
  SimulatedDisk::FilePtr opened;
  leveldb::Status status = state_->Check(path);
  if (status.ok()) status = disk_.Open(path, &opened);
  if (status.ok()) *file = new SimulatedSequentialFile(OpenFile(&disk_, path, opened, state_));
  return status;
}

leveldb::Status SimulatedEnv::NewRandomAccessFile(const std::string& path,
                                                  leveldb::RandomAccessFile** file) {
  *file = nullptr;
  SimulatedDisk::FilePtr opened;
  leveldb::Status status = state_->Check(path);
  if (status.ok()) status = disk_.Open(path, &opened);
  if (status.ok()) *file = new SimulatedRandomAccessFile(OpenFile(&disk_, path, opened, state_));
  return status;
}

leveldb::Status SimulatedEnv::NewWritableFile(const std::string& path,
                                              leveldb::WritableFile** file) {
  return OpenForWriting(path, /*append=*/false, file);
}

leveldb::Status SimulatedEnv::NewAppendableFile(const std::string& path,
                                                leveldb::WritableFile** file) {
  return OpenForWriting(path, /*append=*/true, file);
}

leveldb::Status SimulatedEnv::OpenForWriting(const std::string& path, bool append,
                                             leveldb::WritableFile** file) {
  *file = nullptr;
  SimulatedDisk::FilePtr opened;
  leveldb::Status status = state_->Check(path);
  if (status.ok()) {
    const bool reuse = append && disk_.Exists(path);
    status = reuse ? disk_.Open(path, &opened) : disk_.Create(path, &opened);
  }
  if (status.ok()) *file = new SimulatedWritableFile(OpenFile(&disk_, path, opened, state_));
  return status;
}

bool SimulatedEnv::FileExists(const std::string& path) {
  return state_->Check(path).ok() && disk_.Exists(path);
}

leveldb::Status SimulatedEnv::GetChildren(const std::string& directory,
                                          std::vector<std::string>* children) {
  children->clear();
  const leveldb::Status status = state_->Check(directory);
  if (status.ok()) *children = disk_.Children(directory);
  return status;
}

leveldb::Status SimulatedEnv::RemoveFile(const std::string& path) {
  const leveldb::Status status = state_->Check(path);
  return status.ok() ? disk_.Remove(path) : status;
}

leveldb::Status SimulatedEnv::CreateDir(const std::string& path) {
  const leveldb::Status status = state_->Check(path);
  return status.ok() ? disk_.MakeDirectory(path) : status;
}

leveldb::Status SimulatedEnv::RemoveDir(const std::string& path) {
  const leveldb::Status status = state_->Check(path);
  return status.ok() ? disk_.RemoveDirectory(path) : status;
}

leveldb::Status SimulatedEnv::GetFileSize(const std::string& path, uint64_t* size) {
  *size = 0;
  SimulatedDisk::FilePtr opened;
  leveldb::Status status = state_->Check(path);
  if (status.ok()) status = disk_.Open(path, &opened);
  if (status.ok()) *size = opened->data.size();
  return status;
}

leveldb::Status SimulatedEnv::RenameFile(const std::string& from, const std::string& to) {
  const leveldb::Status status = state_->Check(to);
  return status.ok() ? disk_.Rename(from, to) : status;
}

leveldb::Status SimulatedEnv::LockFile(const std::string& path, leveldb::FileLock** lock) {
  *lock = nullptr;
  leveldb::Status status = state_->Check(path);
  SimulatedDisk::FilePtr opened;
  if (status.ok() && !disk_.Exists(path)) status = disk_.Create(path, &opened);
  if (!status.ok()) return status;
  if (!locked_.insert(path).second) {
    return leveldb::Status::IOError(path, "already held by this process");
  }
  *lock = new SimulatedFileLock(path);
  return leveldb::Status::OK();
}

leveldb::Status SimulatedEnv::UnlockFile(leveldb::FileLock* lock) {
  const auto* const held = static_cast<SimulatedFileLock*>(lock);
  CHECK_EQ(locked_.erase(held->path), 1u);
  delete held;
  return leveldb::Status::OK();
}

void SimulatedEnv::Schedule(void (*function)(void*), void* argument) {
  disk_.Schedule(function, argument);
}

void SimulatedEnv::StartThread(void (*)(void*), void*) {
  CHECK(false) << "there are no threads in the simulated world";
}

leveldb::Status SimulatedEnv::GetTestDirectory(std::string* path) {
  *path = "test";
  if (!disk_.Exists(*path)) return CreateDir(*path);
  return leveldb::Status::OK();
}

leveldb::Status SimulatedEnv::NewLogger(const std::string&, leveldb::Logger** logger) {
  *logger = new SimulatedLogger(&disk_.recorder(), disk_.node());
  return leveldb::Status::OK();
}

uint64_t SimulatedEnv::NowMicros() {
  return static_cast<uint64_t>(disk_.recorder().now().nanoseconds() / 1000);
}

void SimulatedEnv::SleepForMicroseconds(int micros) {
  // LevelDB sleeps, without its mutex, to let the background work catch up.
  disk_.Spend(std::chrono::microseconds(micros));
  disk_.RunBackgroundWork();
}

}  // namespace simulated
