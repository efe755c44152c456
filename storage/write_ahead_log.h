// LevelDB's write-ahead logs, looked at before LevelDB does.
//
// After a bad record LevelDB either goes on with later ones, which leaves a hole, or, with paranoid
// checks, refuses to open at all, though a torn last record is what any crash leaves behind. So the
// logs are cut here to the longest clean prefix first: up to the first record that is not whole,
// and without the log files after that. What LevelDB then recovers, with paranoid checks, is a
// prefix of what was written.
#ifndef STORAGE_WRITE_AHEAD_LOG_H_
#define STORAGE_WRITE_AHEAD_LOG_H_

#include <leveldb/env.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace storage {

// How much of a log file is whole records, one after the other from its beginning.
size_t CleanLogPrefix(absl::string_view log);

// Cuts the log files in a LevelDB directory that no one has open. `*dropped` counts the bytes that
// went. A crash in the middle leaves work for the next call, never a hole.
leveldb::Status CutWriteAheadLogs(leveldb::Env* files, const std::string& directory,
                                  uint64_t* dropped);

// The content of a file.
leveldb::Status ReadWholeFile(leveldb::Env* files, const std::string& path, std::string* content);

}  // namespace storage

#endif  // STORAGE_WRITE_AHEAD_LOG_H_
