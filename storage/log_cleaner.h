// LogCleaner: keeps the log's files small. In the background it empties the oldest segment, by
// having written again what still lives in it, and removes it.
//
// When:        nothing lives in it; or the files are more than twice what lives in them (both
//              copies) and three segments; or there are many small ones; or a bad copy was found in
//              it or after it.
// Crash:       a segment is removed only after a durable batch has said that it is not needed.
// Speed:       what is moved goes along with ordinary batches, a bounded part in each.
#ifndef STORAGE_LOG_CLEANER_H_
#define STORAGE_LOG_CLEANER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/world.h"
#include "storage/log_committer.h"
#include "storage/log_index.h"
#include "storage/log_store.h"

namespace storage {

class LogCleaner {
 public:
  // All of them outlive it.
  LogCleaner(runtime::World* world, std::string directory, LogStoreOptions options, LogIndex* index,
             LogCommitter* committer);

  void Start() { scope_.Spawn(Run()); }
  runtime::Task<void> Close() { return scope_.Close(); }

 private:
  bool Needed() const;
  // How far the files are beyond what they may be, as a fraction of that.
  double Excess() const;
  runtime::Task<void> Run();
  runtime::Task<absl::Status> Clean();
  runtime::Task<absl::Status> MoveLive(LogSegment segment, uint64_t end_sequence);
  runtime::Task<absl::Status> RemoveDropped();

  runtime::World* const world_;
  const std::string directory_;
  const LogStoreOptions options_;
  LogIndex* const index_;
  LogCommitter* const committer_;
  std::vector<SegmentNumber> dropped_;  // From the index; their files are still there.
  runtime::TaskScope scope_;
};

}  // namespace storage

#endif  // STORAGE_LOG_CLEANER_H_
