#include "storage/range_snapshot.h"

#include <leveldb/iterator.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/database.h"
#include "storage/snapshot_chunk.h"
#include "storage/stored_key.h"

namespace storage {
namespace {

using runtime::Task;

absl::string_view KeyOf(const leveldb::Iterator& it) { return {it.key().data(), it.key().size()}; }

// Adds to `batch` what makes the span of a chunk hold the chunk's entries and nothing else.
absl::Status ReplaceSpan(View* view, const SnapshotChunk& chunk, ApplyBatch* batch) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view->iterator(View::Caching::kLeave));
  auto entry = chunk.entries.begin();
  for (const KeyRange& range : SnapshotRanges(chunk.group, chunk.range)) {
    const std::string begin = std::max(range.start, chunk.begin.stored_key);
    const std::string end = std::min(range.end, chunk.end.stored_key);
    for (it->Seek(begin); it->Valid() && KeyOf(*it) < end; it->Next()) {
      while (entry != chunk.entries.end() && entry->stored_key < KeyOf(*it)) ++entry;
      const bool stays = entry != chunk.entries.end() && entry->stored_key == KeyOf(*it);
      if (!stays) batch->changes().Delete(it->key());
    }
  }
  for (const SnapshotEntry& put : chunk.entries) {
    batch->changes().Put({put.stored_key.data(), put.stored_key.size()},
                         {put.sealed.data(), put.sealed.size()});
  }
  return view->IteratorStatus();
}

// The chunk that an installer waits for.
struct Expected {
  StoreEpoch epoch;
  GroupId group;
  InstallMark mark;
};

// A chunk on its way into the store.
struct Prepared {
  ApplyBatch batch;
  std::string resume_token;
  std::optional<SnapshotChunk::End> last;
};

absl::StatusOr<SnapshotChunk> DecodeExpected(absl::string_view bytes, const Expected& expected) {
  absl::StatusOr<SnapshotChunk> chunk = DecodeSnapshotChunk(bytes);
  if (!chunk.ok()) return absl::InvalidArgumentError(chunk.status().message());
  if (chunk->snapshot != expected.mark.snapshot || chunk->group != expected.group ||
      chunk->range != expected.mark.range ||
      EncodeSnapshotPosition(chunk->begin) != expected.mark.resume_token) {
    return absl::InvalidArgumentError("this is not the chunk of the snapshot that was asked for");
  }
  return chunk;
}

absl::StatusOr<Prepared> Prepare(const std::shared_ptr<Database>& database,
                                 const std::string& bytes, const Expected& expected) {
  ASSIGN_OR_RETURN(SnapshotChunk chunk, DecodeExpected(bytes, expected));
  ASSIGN_OR_RETURN(View view,
                   Database::NewView(database, chunk.group, Database::Installing::kAllowed));
  Prepared prepared{ApplyBatch(expected.epoch), EncodeSnapshotPosition(chunk.end), {}};
  RETURN_IF_ERROR(ReplaceSpan(&view, chunk, &prepared.batch));
  GroupRecord record;
  if (chunk.last.has_value()) {
    record.horizon = chunk.last->horizon;
    prepared.batch.SetApplied(chunk.group, chunk.last->applied);
  } else {
    record.install = InstallMark{chunk.snapshot, chunk.range, prepared.resume_token};
  }
  prepared.batch.PutStored(GroupKey(chunk.group), EncodeGroupRecord(record));
  prepared.last = std::move(chunk.last);
  return prepared;
}

}  // namespace

// ---- Reading.

absl::StatusOr<SnapshotReader> SnapshotReader::Create(View view, KeyRange range, uint64_t id,
                                                      SnapshotOptions options) {
  SnapshotReader reader(std::move(view), std::move(range), id, options);
  ASSIGN_OR_RETURN(std::optional<std::string> applied, reader.view_.Applied());
  if (!applied.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat("group ", reader.view_.group().value(),
                                                      " has applied nothing that could be copied"));
  }
  reader.applied_ = *std::move(applied);
  return reader;
}

SnapshotReader::SnapshotReader(View view, KeyRange range, uint64_t id, SnapshotOptions options)
    : view_(std::move(view)), range_(std::move(range)), id_(id), options_(options) {}

absl::StatusOr<std::string> SnapshotReader::ReadChunk(absl::string_view resume_token) {
  SnapshotChunk chunk;
  chunk.snapshot = id_;
  chunk.group = view_.group();
  chunk.range = range_;
  absl::StatusOr<SnapshotPosition> begin = DecodeSnapshotPosition(resume_token);
  if (!begin.ok()) return absl::InvalidArgumentError(begin.status().message());
  chunk.begin = *std::move(begin);
  const std::vector<KeyRange> ranges = SnapshotRanges(chunk.group, range_);
  // Where all ranges end, unless the chunk is full before.
  chunk.end.stored_key = ranges.back().end;
  ASSIGN_OR_RETURN(std::string bytes, CollectEntries(ranges, &chunk));
  return bytes;
}

// The entries of a chunk point into LevelDB's blocks only while its iterator stands still, so they
// are copied first.
absl::StatusOr<std::string> SnapshotReader::CollectEntries(const std::vector<KeyRange>& ranges,
                                                           SnapshotChunk* chunk) {
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view_.iterator(View::Caching::kLeave));
  std::string copies;
  std::vector<std::pair<size_t, size_t>> sizes;
  bool full = false;
  for (const KeyRange& range : ranges) {
    if (full) break;
    for (it->Seek(std::max(range.start, chunk->begin.stored_key));
         it->Valid() && KeyOf(*it) < range.end; it->Next()) {
      if (copies.size() >= options_.chunk_bytes_max) {
        chunk->end.stored_key = it->key().ToString();
        full = true;
        break;
      }
      copies.append(it->key().data(), it->key().size());
      copies.append(it->value().data(), it->value().size());
      sizes.emplace_back(it->key().size(), it->value().size());
    }
  }
  RETURN_IF_ERROR(view_.IteratorStatus());
  const char* next = copies.data();
  for (const auto& [key_size, value_size] : sizes) {
    const SnapshotEntry entry{{next, key_size}, {next + key_size, value_size}};
    RETURN_IF_ERROR(view_.database().Judge(Unseal(entry.stored_key, entry.sealed)).status());
    chunk->entries.push_back(entry);
    next += key_size + value_size;
  }
  chunk->end.chunks = chunk->begin.chunks + 1;
  chunk->end.entries = chunk->begin.entries + chunk->entries.size();
  chunk->end.checksum = ExtendSnapshotChecksum(chunk->begin.checksum, chunk->entries);
  if (!full) chunk->last = SnapshotChunk::End{applied_, view_.horizon()};
  return EncodeSnapshotChunk(*chunk);
}

// ---- Installing.

SnapshotInstaller::SnapshotInstaller(Store* store, StoreEpoch epoch, GroupId group, KeyRange range,
                                     uint64_t id, std::string resume_token)
    : store_(store),
      epoch_(epoch),
      group_(group),
      range_(std::move(range)),
      id_(id),
      resume_token_(std::move(resume_token)) {}

Task<absl::StatusOr<std::unique_ptr<SnapshotInstaller>>> SnapshotInstaller::Begin(Store* store,
                                                                                  GroupId group,
                                                                                  KeyRange range,
                                                                                  uint64_t id) {
  const StoreEpoch epoch = store->epoch();
  CO_ASSIGN_OR_RETURN(std::shared_ptr<Database> database, store->database());
  const absl::StatusOr<GroupRecord> record = co_await runtime::RunBlocking(
      &store->world().blocking(), [database = std::move(database), group] {
        return database->ReadGroupRecord(nullptr, group);
      });
  CO_RETURN_IF_ERROR(record.status());
  std::string resume_token;
  if (record->install.has_value()) {
    if (!range.Contains(record->install->range)) {
      co_return absl::FailedPreconditionError(
          absl::StrCat("group ", group.value(),
                       " has an install or a removal of another range that has not ended"));
    }
    const bool same = record->install->snapshot == id && record->install->range == range;
    if (same) resume_token = record->install->resume_token;
  }
  ApplyBatch mark(epoch);
  mark.PutStored(GroupKey(group), EncodeGroupRecord({runtime::Timestamp::Min(),
                                                     InstallMark{id, range, resume_token}}));
  mark.changes().Delete(AppliedKey(group));
  CO_RETURN_IF_ERROR(co_await store->WriteAs(std::move(mark), Store::Durability::kSynced));
  co_return std::unique_ptr<SnapshotInstaller>(
      new SnapshotInstaller(store, epoch, group, std::move(range), id, std::move(resume_token)));
}

Task<absl::Status> SnapshotInstaller::Add(std::string chunk) {
  CO_ASSIGN_OR_RETURN(std::shared_ptr<Database> database, store_->database());
  // Decoded where it is also made into a batch: both take their time.
  Expected expected{epoch_, group_, {id_, range_, resume_token_}};
  absl::StatusOr<Prepared> prepared = co_await runtime::RunBlocking(
      &store_->world().blocking(),
      [database = std::move(database), chunk = std::move(chunk), expected = std::move(expected)] {
        return Prepare(database, chunk, expected);
      });
  CO_RETURN_IF_ERROR(prepared.status());
  const auto durability =
      prepared->last.has_value() ? Store::Durability::kSynced : Store::Durability::kWritten;
  CO_RETURN_IF_ERROR(co_await store_->WriteAs(std::move(prepared->batch), durability));
  resume_token_ = std::move(prepared->resume_token);
  if (prepared->last.has_value()) {
    applied_ = std::move(prepared->last->applied);
    done_ = true;
  }
  co_return absl::OkStatus();
}

}  // namespace storage
