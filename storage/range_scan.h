// RangeScan: the rows of a range at a timestamp, found among their versions by a LevelDB iterator.
// The iterator's status is its user's to ask, before the result is believed.
#ifndef STORAGE_RANGE_SCAN_H_
#define STORAGE_RANGE_SCAN_H_

#include <leveldb/iterator.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/key_range.h"
#include "storage/view.h"

namespace storage {

class RangeScan {
 public:
  // Both outlive it. Used once.
  RangeScan(leveldb::Iterator* iterator, const ScanRequest& request);
  absl::StatusOr<ScanResult> Run();

 private:
  absl::Status RunForward();
  absl::Status RunReverse();
  // Deals with the key whose oldest version the iterator stands on; leaves it before that key.
  absl::Status TakeKeyInReverse();
  absl::Status Take(absl::string_view stored_key, absl::string_view sealed);
  // Whether the iterator stands on a version of the key that begins with prefix_.
  bool AtPrefix() const;
  // Where the versions of prefix_ at or below the request's timestamp begin, and where all end.
  std::string SeekOfTimestamp() const;
  std::string EndOfVersions() const;
  absl::string_view StoredKey() const;

  leveldb::Iterator& it_;
  const ScanRequest& request_;
  const KeyRange stored_;
  std::string prefix_;  // Of the key under way.
  ScanResult result_;
  size_t bytes_ = 0;
  bool stopped_ = false;  // It has given as much as was asked for.
};

}  // namespace storage

#endif  // STORAGE_RANGE_SCAN_H_
