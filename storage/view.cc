#include "storage/view.h"

#include <leveldb/db.h>
#include <leveldb/iterator.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "storage/database.h"
#include "storage/range_scan.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

absl::string_view ToView(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

// The version that an iterator stands on.
absl::StatusOr<Version> CurrentVersion(const leveldb::Iterator& it) {
  ASSIGN_OR_RETURN(const DataKeyParts parts, SplitDataKey(ToView(it.key())));
  ASSIGN_OR_RETURN(const StoredVersion stored, UnsealVersion(ToView(it.key()), ToView(it.value())));
  Version version{parts.timestamp, std::nullopt};
  if (stored.kind == VersionKind::kRow) version.value.emplace(stored.row);
  return version;
}

}  // namespace

View::View(std::shared_ptr<Database> database, const leveldb::Snapshot* snapshot, GroupId group)
    : database_(std::move(database)), snapshot_(snapshot), group_(group) {}

View::View(View&& other) noexcept
    : database_(std::move(other.database_)),
      snapshot_(std::exchange(other.snapshot_, nullptr)),
      iterator_(std::move(other.iterator_)),
      group_(other.group_),
      horizon_(other.horizon_) {}

View& View::operator=(View&& other) noexcept {
  if (this == &other) return *this;
  Release();
  database_ = std::move(other.database_);
  snapshot_ = std::exchange(other.snapshot_, nullptr);
  iterator_ = std::move(other.iterator_);
  group_ = other.group_;
  horizon_ = other.horizon_;
  return *this;
}

View::~View() { Release(); }

void View::Release() {
  iterator_.reset();
  if (snapshot_ != nullptr) database_->leveldb().ReleaseSnapshot(snapshot_);
  snapshot_ = nullptr;
  database_.reset();
}

absl::Status View::CheckHorizon(runtime::Timestamp at) const {
  if (at >= horizon_) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(
      "a read at ", at.nanoseconds(), "ns is below the horizon of group ", group_.value(), ", ",
      horizon_.nanoseconds(), "ns: versions that it needs may have been collected"));
}

absl::StatusOr<leveldb::Iterator*> View::iterator(Caching caching) {
  RETURN_IF_ERROR(database_->Readable());
  if (iterator_ == nullptr) {
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    options.snapshot = snapshot_;
    options.fill_cache = caching == Caching::kFill;
    iterator_.reset(database_->leveldb().NewIterator(options));
  }
  return iterator_.get();
}

absl::Status View::IteratorStatus() {
  absl::Status status = database_->Judge(FromLevelDb(iterator_->status()));
  // An iterator never forgets an error, though the disk may have recovered.
  if (!status.ok()) iterator_.reset();
  return status;
}

absl::StatusOr<std::optional<Version>> View::VersionAt(absl::string_view key,
                                                       runtime::Timestamp at) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, iterator(Caching::kFill));
  const std::string sought = DataKey(key, at);
  it->Seek(sought);
  RETURN_IF_ERROR(IteratorStatus());
  if (!it->Valid()) return std::optional<Version>();
  const absl::StatusOr<DataKeyParts> parts = SplitDataKey(sought);
  const absl::string_view found = ToView(it->key());
  if (found.size() != sought.size() || !absl::StartsWith(found, parts->prefix)) {
    return std::optional<Version>();
  }
  ASSIGN_OR_RETURN(Version version, database_->Judge(CurrentVersion(*it)));
  return std::optional<Version>(std::move(version));
}

absl::StatusOr<std::optional<Cell>> View::Get(absl::string_view key, runtime::Timestamp at) {
  RETURN_IF_ERROR(CheckHorizon(at));
  ASSIGN_OR_RETURN(std::optional<Version> version, VersionAt(key, at));
  if (!version.has_value() || !version->value.has_value()) return std::optional<Cell>();
  return std::optional<Cell>(Cell{version->timestamp, *std::move(version->value)});
}

absl::StatusOr<std::optional<Version>> View::Newest(absl::string_view key) {
  return VersionAt(key, runtime::Timestamp::Max());
}

absl::StatusOr<std::vector<Version>> View::Versions(absl::string_view key, runtime::Timestamp from,
                                                    size_t count_max) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, iterator(Caching::kFill));
  const std::string prefix = DataPrefix(key);
  std::vector<Version> versions;
  for (it->Seek(DataKey(key, from)); it->Valid() && versions.size() < count_max; it->Next()) {
    if (!absl::StartsWith(ToView(it->key()), prefix)) break;
    ASSIGN_OR_RETURN(Version version, database_->Judge(CurrentVersion(*it)));
    versions.push_back(std::move(version));
  }
  RETURN_IF_ERROR(IteratorStatus());
  return versions;
}

absl::StatusOr<ScanResult> View::Scan(const ScanRequest& request) {
  RETURN_IF_ERROR(CheckHorizon(request.at));
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, iterator(Caching::kFill));
  absl::StatusOr<ScanResult> result = RangeScan(it, request).Run();
  // First, since a block that could not be read explains whatever else went wrong.
  RETURN_IF_ERROR(IteratorStatus());
  return database_->Judge(std::move(result));
}

absl::StatusOr<std::optional<std::string>> View::State(absl::string_view key) {
  RETURN_IF_ERROR(database_->Readable());
  return database_->ReadRecord(snapshot_, StateKey(group_, key));
}

absl::StatusOr<std::optional<std::string>> View::Applied() {
  RETURN_IF_ERROR(database_->Readable());
  return database_->ReadRecord(snapshot_, AppliedKey(group_));
}

absl::StatusOr<std::vector<StateEntry>> View::ScanState(const KeyRange& range, size_t count_max) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, iterator(Caching::kFill));
  const KeyRange stored = StoredState(group_, range);
  std::vector<StateEntry> entries;
  for (it->Seek(stored.start); it->Valid() && entries.size() < count_max; it->Next()) {
    const absl::string_view key = ToView(it->key());
    if (!stored.Contains(key)) break;
    ASSIGN_OR_RETURN(const absl::string_view value,
                     database_->Judge(Unseal(key, ToView(it->value()))));
    ASSIGN_OR_RETURN(Key own_key, database_->Judge(KeyOfStateKey(key)));
    entries.push_back({std::move(own_key), std::string(value)});
  }
  RETURN_IF_ERROR(IteratorStatus());
  return entries;
}

}  // namespace storage
