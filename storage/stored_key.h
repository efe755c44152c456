// The layout of a store inside LevelDB: which keys there are, and the checksum in every value.
//
//   meta | name                       the store's own: its format
//   chain | position                  see WriteChain
//   applied | group                   ApplyBatch::SetApplied
//   group | group                     GroupRecord
//   state | group | key               ApplyBatch::PutState
//   data | escaped key | ~timestamp   rows: the versions of a key stand together, newest first
//
// The order of stored keys is the order of keys, then of timestamps from new to old. A value ends
// with the CRC-32C of the stored key and of what stands before it, so that bytes under a wrong key
// are found out too.
//
// Format: docs/formats.md, "Store".
#ifndef STORAGE_STORED_KEY_H_
#define STORAGE_STORED_KEY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "storage/key_range.h"

namespace storage {

std::string MetaKey(absl::string_view name);
std::string ChainKey(uint32_t position);
std::string AppliedKey(GroupId group);
std::string GroupKey(GroupId group);
std::string StateKey(GroupId group, absl::string_view key);

void AppendDataKey(absl::string_view key, runtime::Timestamp timestamp, std::string* out);
std::string DataKey(absl::string_view key, runtime::Timestamp timestamp);
// What all versions of a key begin with.
std::string DataPrefix(absl::string_view key);

// Stored ranges: of all chain entries, of the records of all groups, of a group's state, of rows.
KeyRange StoredChain();
KeyRange StoredApplied();
KeyRange StoredGroups();
KeyRange StoredState(GroupId group);
KeyRange StoredState(GroupId group, const KeyRange& range);
KeyRange StoredData(const KeyRange& range);

// A data key taken apart. `prefix` points into the stored key: all but the timestamp.
struct DataKeyParts {
  absl::string_view prefix;
  runtime::Timestamp timestamp;
};
absl::StatusOr<DataKeyParts> SplitDataKey(absl::string_view stored_key);
// The key whose versions begin with `prefix`.
absl::StatusOr<Key> KeyOfDataPrefix(absl::string_view prefix);
absl::StatusOr<GroupId> GroupOfStoredKey(absl::string_view stored_key);
// The key of a group's state entry.
absl::StatusOr<Key> KeyOfStateKey(absl::string_view stored_key);

// Appends the checksum of `stored_key` and `*value` to `*value`.
void Seal(absl::string_view stored_key, std::string* value);
// The value without its checksum; DATA_LOSS if that is wrong.
absl::StatusOr<absl::string_view> Unseal(absl::string_view stored_key, absl::string_view sealed);

// The value of a data key: one byte that says what it is, then the row.
enum class VersionKind : uint8_t { kDeletion = 0, kRow = 1 };
struct StoredVersion {
  VersionKind kind;
  absl::string_view row;
};
absl::StatusOr<StoredVersion> UnsealVersion(absl::string_view stored_key, absl::string_view sealed);

// An install, or a removal, of a group that has not ended.
struct InstallMark {
  uint64_t snapshot = 0;  // Its id; 0 is a removal.
  KeyRange range;
  std::string resume_token;
};

// What the store keeps for a group besides its applied state.
struct GroupRecord {
  runtime::Timestamp horizon = runtime::Timestamp::Min();
  std::optional<InstallMark> install;
};
std::string EncodeGroupRecord(const GroupRecord& record);
absl::StatusOr<GroupRecord> DecodeGroupRecord(absl::string_view bytes);

}  // namespace storage

#endif  // STORAGE_STORED_KEY_H_
