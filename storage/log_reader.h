// FetchEntries: reads entries from segment files, each checked against its own checksum, from the
// twin if the first copy is bad (PX-CHECKSUM). Blocking.
#ifndef STORAGE_LOG_READER_H_
#define STORAGE_LOG_READER_H_

#include <leveldb/env.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/ids.h"
#include "storage/log_index.h"

namespace storage {

struct FetchedEntry {
  // DATA_LOSS if both copies are bad; UNAVAILABLE if the disk did not answer.
  absl::StatusOr<std::string> bytes;
  bool first_copy_bad = false;
};

// As many as `entries`, in their order.
std::vector<FetchedEntry> FetchEntries(leveldb::Env* files, const std::string& directory,
                                       GroupId group, const std::vector<PlacedEntry>& entries);

}  // namespace storage

#endif  // STORAGE_LOG_READER_H_
