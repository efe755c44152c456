#include "storage/apply_batch.h"

#include "runtime/check.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

leveldb::Slice ToSlice(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void ApplyBatch::Put(absl::string_view key, runtime::Timestamp timestamp, absl::string_view value) {
  PutVersion(key, timestamp, VersionKind::kRow, value);
}

void ApplyBatch::Delete(absl::string_view key, runtime::Timestamp timestamp) {
  PutVersion(key, timestamp, VersionKind::kDeletion, {});
}

void ApplyBatch::PutVersion(absl::string_view key, runtime::Timestamp timestamp, VersionKind kind,
                            absl::string_view row) {
  stored_key_.clear();
  AppendDataKey(key, timestamp, &stored_key_);
  sealed_.assign(1, static_cast<char>(kind));
  sealed_.append(row.data(), row.size());
  Seal(stored_key_, &sealed_);
  changes_.Put(stored_key_, sealed_);
}

void ApplyBatch::PutStored(absl::string_view stored_key, absl::string_view value) {
  sealed_.assign(value.data(), value.size());
  Seal(stored_key, &sealed_);
  changes_.Put(ToSlice(stored_key), sealed_);
}

void ApplyBatch::PutState(GroupId group, absl::string_view key, absl::string_view value) {
  PutStored(StateKey(group, key), value);
}

void ApplyBatch::DeleteState(GroupId group, absl::string_view key) {
  changes_.Delete(StateKey(group, key));
}

void ApplyBatch::SetApplied(GroupId group, absl::string_view applied) {
  PutStored(AppliedKey(group), applied);
}

void ApplyBatch::Append(const ApplyBatch& other) {
  CHECK_EQ(epoch_, other.epoch_);
  changes_.Append(other.changes_);
}

}  // namespace storage
