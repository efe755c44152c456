// RecoverLog: what a log directory holds, after a crash or not. Blocking; it changes nothing.
#ifndef STORAGE_LOG_RECOVERY_H_
#define STORAGE_LOG_RECOVERY_H_

#include <leveldb/env.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/log_committer.h"
#include "storage/log_index.h"
#include "storage/log_scan.h"
#include "storage/log_segment.h"

namespace storage {

struct RecoveredLog {
  // All but the very last batch. That may be there without ever having been synced (it reached the
  // page cache, the process died), so it is the tail: to be written again before it counts.
  LogIndex index;
  LogIndex::Metas metas;
  LogTail tail;
  // Bad copies whose twins were whole, and the newest segment that has one; 0 without.
  int bad_copies = 0;
  SegmentNumber clean_through = 0;
  // What may be removed once the tail is durable.
  LogFiles leftovers;
};

// DATA_LOSS, FAILED_PRECONDITION or UNAVAILABLE, as LogStore::Open() has them.
absl::StatusOr<RecoveredLog> RecoverLog(leveldb::Env* files, const std::string& directory);

// A segment, read and scanned. What reads as lost is read again, since a disk may also err once.
struct LoadedSegment {
  SegmentBytes bytes;
  SegmentScan scan;
};
absl::StatusOr<LoadedSegment> LoadSegment(leveldb::Env* files, const std::string& directory,
                                          SegmentNumber segment,
                                          std::optional<uint64_t> end_sequence);

}  // namespace storage

#endif  // STORAGE_LOG_RECOVERY_H_
