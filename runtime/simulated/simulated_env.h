// SimulatedEnv: LevelDB's door to a SimulatedDisk, for one incarnation of a node.
//
// Close() shuts the door: from then on every operation fails, through files that are open too, so
// that what a crash destroys cannot write any more. Background work that LevelDB has scheduled must
// be run once more after that (RunBackgroundWork), since a store's destructor waits for it.
//
// A write-ahead log is synced when it is closed or destroyed. LevelDB does not ask for that when it
// changes to a new log, and after a power loss could then show a later write without an earlier
// one; with it, what is recovered is always a prefix. If that sync fails, so does all that follows.
//
// Code and tests that call LevelDB directly, outside Blocking, call disk.RunBackgroundWork() after
// each call, or write in a universe, which does so after each event.
#ifndef RUNTIME_SIMULATED_SIMULATED_ENV_H_
#define RUNTIME_SIMULATED_SIMULATED_ENV_H_

#include <leveldb/env.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/simulated/simulated_disk.h"

namespace simulated {

struct EnvState;

class SimulatedEnv final : public leveldb::Env {
 public:
  explicit SimulatedEnv(SimulatedDisk* disk);
  ~SimulatedEnv() override;

  // From now on everything fails.
  void Close();

  // leveldb::Env.
  leveldb::Status NewSequentialFile(const std::string& path,
                                    leveldb::SequentialFile** file) override;
  leveldb::Status NewRandomAccessFile(const std::string& path,
                                      leveldb::RandomAccessFile** file) override;
  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  bool FileExists(const std::string& path) override;
  leveldb::Status GetChildren(const std::string& directory,
                              std::vector<std::string>* children) override;
  leveldb::Status RemoveFile(const std::string& path) override;
  leveldb::Status CreateDir(const std::string& path) override;
  leveldb::Status RemoveDir(const std::string& path) override;
  leveldb::Status GetFileSize(const std::string& path, uint64_t* size) override;
  leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
  leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
  leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
  void Schedule(void (*function)(void* argument), void* argument) override;
  void StartThread(void (*function)(void* argument), void* argument) override;
  leveldb::Status GetTestDirectory(std::string* path) override;
  leveldb::Status NewLogger(const std::string& path, leveldb::Logger** logger) override;
  uint64_t NowMicros() override;
  void SleepForMicroseconds(int micros) override;

 private:
  leveldb::Status OpenForWriting(const std::string& path, bool append,
                                 leveldb::WritableFile** file);

  SimulatedDisk& disk_;
  const std::shared_ptr<EnvState> state_;
  std::set<std::string> locked_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_ENV_H_
