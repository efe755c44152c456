// HostFiles: the host's files, as LevelDB's POSIX Env has them, with one promise more, and with
// another kind of file for the segments of a log ("*.segment", see SegmentFile), and
// with threads of their own for compactions.
//
// A write-ahead log is synced when it is closed or destroyed. LevelDB does not ask for that when it
// changes to a new log: after a power loss a later, synced write could then be there without an
// earlier, unsynced one. With it, what is recovered is always a prefix of what was written. LevelDB
// takes no answer at that point, so if such a sync fails, all writing that follows fails instead.
// (The simulated disk keeps the same promise, and a test shows what happens without.)
#ifndef RUNTIME_REAL_HOST_FILES_H_
#define RUNTIME_REAL_HOST_FILES_H_

#include <leveldb/env.h>

#include <atomic>
#include <memory>
#include <string>

#include "runtime/real/compaction_threads.h"

namespace real {

class HostFiles final : public leveldb::EnvWrapper {
 public:
  // So many stores may compact at the same time. `files` outlives this.
  explicit HostFiles(int compactions_max, leveldb::Env* files = leveldb::Env::Default())
      : leveldb::EnvWrapper(files), threads_(compactions_max) {}

  leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
  leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
  void Schedule(void (*function)(void*), void* argument) override {
    threads_.Schedule(function, argument);
  }

 private:
  // Whether a log could not be synced when it was closed; shared with the files, which may be
  // closed later.
  const std::shared_ptr<std::atomic<bool>> log_lost_ = std::make_shared<std::atomic<bool>>(false);
  CompactionThreads threads_;
};

}  // namespace real

#endif  // RUNTIME_REAL_HOST_FILES_H_
