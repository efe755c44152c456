#include "storage/database.h"

#include <leveldb/cache.h>
#include <leveldb/env.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "storage/coding.h"
#include "storage/write_ahead_log.h"

namespace storage {
namespace {

constexpr uint32_t kFormat = 1;
constexpr char kFormatName[] = "format";
// So many links of the chain to a memtable.
constexpr size_t kLinksPerBuffer = 64;

leveldb::ReadOptions Checked(const leveldb::Snapshot* snapshot) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.snapshot = snapshot;
  return options;
}

// LevelDB makes a new database where CURRENT is missing. One that had anything in it has lost it.
absl::Status CheckCurrent(leveldb::Env* files, const std::string& directory) {
  if (files->FileExists(directory + "/CURRENT")) return absl::OkStatus();
  std::vector<std::string> children;
  RETURN_IF_ERROR(FromLevelDb(files->GetChildren(directory, &children)));
  for (const std::string& name : children) {
    if (absl::EndsWith(name, ".ldb") || absl::EndsWith(name, ".log")) {
      return absl::DataLossError(
          absl::StrCat("the store has lost its file CURRENT, and has ", name));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status FromLevelDb(const leveldb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  const std::string text = status.ToString();
  if (!status.IsIOError()) return absl::DataLossError(absl::StrCat("the store is damaged: ", text));
  const std::string lower = absl::AsciiStrToLower(text);
  if (absl::StrContains(lower, "no space left") || absl::StrContains(lower, "quota exceeded")) {
    return absl::ResourceExhaustedError(absl::StrCat("the disk of the store is full: ", text));
  }
  return absl::UnavailableError(absl::StrCat("the disk of the store fails: ", text));
}

Database::Database(leveldb::Env* files, DatabaseOptions options)
    : files_(*files),
      options_(std::move(options)),
      cache_(leveldb::NewLRUCache(options_.block_cache_bytes)),
      chain_(options_.write_buffer_bytes / kLinksPerBuffer) {}

Database::~Database() {
  // LevelDB's destructor waits for its background work. Where that runs on this very thread, in the
  // simulated world, sleeping gives it its turn.
  files_.SleepForMicroseconds(1);
}

absl::StatusOr<std::shared_ptr<Database>> Database::Open(leveldb::Env* files,
                                                         DatabaseOptions options) {
  const std::shared_ptr<Database> database(new Database(files, std::move(options)));
  RETURN_IF_ERROR(database->OpenLevelDb());
  RETURN_IF_ERROR(database->CheckFormat());
  RETURN_IF_ERROR(database->CheckChain());
  return database;
}

absl::Status Database::OpenLevelDb() {
  if (!files_.FileExists(options_.directory)) {
    RETURN_IF_ERROR(FromLevelDb(files_.CreateDir(options_.directory)));
  }
  RETURN_IF_ERROR(CheckCurrent(&files_, options_.directory));
  RETURN_IF_ERROR(FromLevelDb(CutWriteAheadLogs(&files_, options_.directory, &log_bytes_dropped_)));
  leveldb::Options options;
  options.env = &files_;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  options.write_buffer_size = options_.write_buffer_bytes;
  options.max_file_size = std::max<size_t>(options_.write_buffer_bytes, 1 << 20);
  options.block_cache = cache_.get();
  leveldb::DB* opened = nullptr;
  const leveldb::Status status = leveldb::DB::Open(options, options_.directory, &opened);
  leveldb_.reset(opened);
  return FromLevelDb(status);
}

absl::Status Database::CheckFormat() {
  const std::string key = MetaKey(kFormatName);
  ASSIGN_OR_RETURN(const std::optional<std::string> found, ReadRecord(nullptr, key));
  if (found.has_value()) {
    Decoder decoder(*found);
    const uint32_t format = decoder.TakeFixed32();
    if (format == kFormat) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("the store in ", options_.directory, " has format ", format,
                     ", and this program knows only format ", kFormat));
  }
  const std::unique_ptr<leveldb::Iterator> any(leveldb_->NewIterator(Checked(nullptr)));
  any->SeekToFirst();
  RETURN_IF_ERROR(FromLevelDb(any->status()));
  if (any->Valid()) return absl::DataLossError("the store has lost the record of its format");
  std::string value;
  AppendFixed32(kFormat, &value);
  Seal(key, &value);
  leveldb::WriteBatch batch;
  batch.Put(key, value);
  return Write(&batch, /*sync=*/true);
}

absl::Status Database::CheckChain() {
  if (chain_.last_batch() > 0) return absl::OkStatus();  // It is new.
  const KeyRange ring = StoredChain();
  std::vector<ChainLink> links;
  const std::unique_ptr<leveldb::Iterator> it(leveldb_->NewIterator(Checked(nullptr)));
  for (it->Seek(ring.start); it->Valid() && it->key().compare(ring.end) < 0; it->Next()) {
    const absl::string_view key(it->key().data(), it->key().size());
    ASSIGN_OR_RETURN(const absl::string_view value,
                     Unseal(key, {it->value().data(), it->value().size()}));
    ASSIGN_OR_RETURN(const ChainLink link, DecodeChainLink(value));
    links.push_back(link);
  }
  RETURN_IF_ERROR(FromLevelDb(it->status()));
  return chain_.Continue(std::move(links));
}

absl::Status Database::Write(leveldb::WriteBatch* changes, bool sync) {
  RETURN_IF_ERROR(Readable());
  chain_.Append(changes);
  leveldb::WriteOptions options;
  options.sync = sync;
  return Judge(FromLevelDb(leveldb_->Write(options, changes)));
}

absl::StatusOr<std::optional<std::string>> Database::ReadRecord(const leveldb::Snapshot* snapshot,
                                                                const std::string& stored_key) {
  std::string sealed;
  const leveldb::Status status = leveldb_->Get(Checked(snapshot), stored_key, &sealed);
  // LevelDB says NotFound also of a table file that is missing; then there is more to its text.
  if (status.IsNotFound() && status.ToString() == leveldb::Status::NotFound("").ToString()) {
    return std::optional<std::string>();
  }
  RETURN_IF_ERROR(Judge(FromLevelDb(status)));
  ASSIGN_OR_RETURN(const absl::string_view value, Judge(Unseal(stored_key, sealed)));
  return std::optional<std::string>(value);
}

absl::StatusOr<GroupRecord> Database::ReadGroupRecord(const leveldb::Snapshot* snapshot,
                                                      GroupId group) {
  ASSIGN_OR_RETURN(const std::optional<std::string> bytes, ReadRecord(snapshot, GroupKey(group)));
  if (!bytes.has_value()) return GroupRecord();
  return Judge(DecodeGroupRecord(*bytes));
}

absl::StatusOr<View> Database::NewView(std::shared_ptr<Database> database, GroupId group,
                                       Installing installing) {
  RETURN_IF_ERROR(database->Readable());
  View view(database, database->leveldb_->GetSnapshot(), group);
  ASSIGN_OR_RETURN(const GroupRecord record, database->ReadGroupRecord(view.snapshot_, group));
  if (record.install.has_value() && installing == Installing::kRefused) {
    return absl::FailedPreconditionError(
        absl::StrCat("group ", group.value(), " is not installed"));
  }
  view.horizon_ = record.horizon;
  return view;
}

absl::Status Database::Judge(absl::Status status) {
  if (absl::IsDataLoss(status) && !damaged_.exchange(true) && options_.damage_found) {
    options_.damage_found(status);
  }
  return status;
}

absl::Status Database::Readable() const {
  if (damaged()) return absl::DataLossError("the store is damaged");
  if (retired_.load(std::memory_order_acquire)) {
    return absl::UnavailableError("the store is being opened again");
  }
  return absl::OkStatus();
}

}  // namespace storage
