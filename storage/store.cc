#include "storage/store.h"

#include <leveldb/env.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/database.h"
#include "storage/generation.h"
#include "storage/range_work.h"

namespace storage {
namespace {

using runtime::Duration;
using runtime::Task;

// LevelDB's smallest buffer, so that flushes and compactions are among what a crash can hit.
constexpr size_t kTinyWriteBuffer = 64 << 10;

absl::StatusOr<std::shared_ptr<Database>> OpenNewest(leveldb::Env* files,
                                                     const std::string& directory,
                                                     DatabaseOptions options) {
  ASSIGN_OR_RETURN(options.directory, NewestGeneration(files, directory));
  return Database::Open(files, std::move(options));
}

StoreState StateAfter(const absl::Status& failure) {
  if (absl::IsDataLoss(failure)) return StoreState::kDamaged;
  return absl::IsResourceExhausted(failure) ? StoreState::kFull : StoreState::kFailing;
}

absl::StatusOr<std::vector<StoredGroup>> ReadGroups(const std::shared_ptr<Database>& database) {
  ASSIGN_OR_RETURN(View view,
                   Database::NewView(database, GroupId(), Database::Installing::kAllowed));
  ASSIGN_OR_RETURN(leveldb::Iterator* const it, view.iterator(View::Caching::kLeave));
  std::map<GroupId, StoredGroup> groups;
  for (const KeyRange& records : {StoredApplied(), StoredGroups()}) {
    for (it->Seek(records.start); it->Valid() && it->key().compare(records.end) < 0; it->Next()) {
      ASSIGN_OR_RETURN(const GroupId group,
                       database->Judge(GroupOfStoredKey({it->key().data(), it->key().size()})));
      groups[group].group = group;
    }
    RETURN_IF_ERROR(view.IteratorStatus());
  }
  std::vector<StoredGroup> found;
  for (auto& [group, stored] : groups) {
    ASSIGN_OR_RETURN(const std::optional<std::string> applied,
                     database->ReadRecord(view.snapshot(), AppliedKey(group)));
    ASSIGN_OR_RETURN(const GroupRecord record, database->ReadGroupRecord(view.snapshot(), group));
    stored.applied = applied.value_or("");
    stored.horizon = record.horizon;
    stored.install = record.install;
    found.push_back(std::move(stored));
  }
  return found;
}

}  // namespace

absl::string_view StoreStateName(StoreState state) {
  switch (state) {
    case StoreState::kOpen:
      return "open";
    case StoreState::kFull:
      return "full";
    case StoreState::kFailing:
      return "failing";
    case StoreState::kDamaged:
      return "damaged";
    case StoreState::kClosed:
      return "closed";
  }
  return "unknown";
}

struct Store::PendingWrite {
  PendingWrite(ApplyBatch its_batch, Durability its_durability)
      : batch(std::move(its_batch)), durability(its_durability) {}

  ApplyBatch batch;
  Durability durability;
  runtime::Event done;
  absl::Status status;
};

// How a Database, on any thread, reaches the store that may be gone.
struct Store::Link {
  Store* store = nullptr;
};

// ---- Opening and closing.

Task<absl::StatusOr<std::unique_ptr<Store>>> Store::Open(runtime::World* world,
                                                         StoreOptions options) {
  if (world->experiments().Buggify("storage.tiny_write_buffer")) {
    options.write_buffer_bytes = kTinyWriteBuffer;
  }
  std::unique_ptr<Store> store(new Store(world, std::move(options)));
  absl::Status opened = co_await store->OpenDatabase();
  if (!opened.ok()) {
    store->state_ = StoreState::kClosed;
    co_return opened;
  }
  store->epoch_ = StoreEpoch(1);
  store->state_ = StoreState::kOpen;
  store->status_ = absl::OkStatus();
  store->scope_.Spawn(store->RunWrites());
  co_return store;
}

Store::Store(runtime::World* world, StoreOptions options)
    : world_(*world),
      options_(std::move(options)),
      link_(std::make_shared<Link>(Link{this})),
      scope_(runtime::Executor::Current()) {}

Store::~Store() = default;

Task<absl::Status> Store::OpenDatabase() {
  DatabaseOptions options;
  options.write_buffer_bytes = options_.write_buffer_bytes;
  options.block_cache_bytes = options_.block_cache_bytes;
  options.damage_found = [loop = &runtime::Executor::Current(),
                          weak = std::weak_ptr<Link>(link_)](const absl::Status& damage) {
    loop->Post([weak, damage] {
      if (const std::shared_ptr<Link> link = weak.lock()) link->store->Failed(damage);
    });
  };
  absl::StatusOr<std::shared_ptr<Database>> opened = co_await runtime::RunBlocking(
      &world_.blocking(),
      [files = &world_.files(), directory = options_.directory, options = std::move(options)] {
        return OpenNewest(files, directory, options);
      });
  CO_RETURN_IF_ERROR(opened.status());
  database_ = *std::move(opened);
  if (database_->log_bytes_dropped() > 0) {
    world_.log().Write(runtime::Severity::kInfo, "storage.log_cut",
                       {{"bytes", database_->log_bytes_dropped()}});
  }
  co_return absl::OkStatus();
}

Task<void> Store::CloseDatabase() {
  if (database_ == nullptr) co_return;
  database_->Retire();
  retired_ = database_;
  // The last to let go waits for LevelDB's background work.
  co_await runtime::RunBlocking(&world_.blocking(),
                                [database = std::exchange(database_, nullptr)]() mutable {
                                  database.reset();
                                  return true;
                                });
}

Task<void> Store::Close() {
  if (state_ == StoreState::kClosed) co_return;
  const absl::Status closed = absl::CancelledError("the store was closed");
  RefuseQueued(closed);
  SetState(StoreState::kClosed, closed);
  co_await scope_.Close();
  co_await CloseDatabase();
}

Task<absl::Status> Store::Wipe(runtime::World* world, std::string directory) {
  co_return co_await runtime::RunBlocking(
      &world->blocking(), [files = &world->files(), directory = std::move(directory)] {
        return StartNextGeneration(files, directory);
      });
}

// ---- States.

void Store::SetState(StoreState state, absl::Status status) {
  if (state_ == StoreState::kClosed) return;
  status_ = std::move(status);  // An attempt may fail for another reason than the one before.
  if (state_ == state) return;
  state_ = state;
  world_.log().Write(
      state == StoreState::kOpen ? runtime::Severity::kInfo : runtime::Severity::kWarning,
      "storage.state", {{"state", StoreStateName(state)}, {"why", std::string(status_.message())}});
  queued_.Set();
  if (options_.state_changed) options_.state_changed();
}

void Store::Failed(const absl::Status& why) {
  if (state_ == StoreState::kDamaged || state_ == StoreState::kClosed) return;
  if (epoch_ == StoreEpoch()) return;  // Open() says what it met.
  if (database_ != nullptr) database_->Retire();
  RefuseQueued(why);
  SetState(StateAfter(why), why);
}

void Store::RefuseQueued(const absl::Status& why) {
  for (const std::shared_ptr<PendingWrite>& write : std::exchange(queue_, {})) {
    write->status = why;
    write->done.Set();
  }
  queued_bytes_ = 0;
}

// ---- Writing.

// The store's one activity: writes what is queued while it is open, and otherwise tries to open it.
Task<void> Store::RunWrites() {
  Duration pause = options_.retry_pause_min;
  while (state_ != StoreState::kDamaged && state_ != StoreState::kClosed) {
    if (state_ != StoreState::kOpen) {
      if (!(co_await runtime::SleepFor(pause)).ok()) co_return;
      pause = std::min(2 * pause, options_.retry_pause_max);
      co_await Reopen();
    } else if (queue_.empty()) {
      queued_.Reset();
      if (!(co_await queued_.Wait()).ok()) co_return;
    } else {
      co_await WriteQueued();
      if (state_ == StoreState::kOpen) pause = options_.retry_pause_min;
    }
  }
}

Task<void> Store::WriteQueued() {
  std::vector<std::shared_ptr<PendingWrite>> writes;
  ApplyBatch merged(epoch_);
  bool sync = false;
  do {
    PendingWrite& next = *queue_.front();
    queued_bytes_ -= next.batch.bytes();
    sync = sync || next.durability == Durability::kSynced;
    if (writes.empty()) {
      merged = std::move(next.batch);
    } else {
      merged.Append(next.batch);
    }
    writes.push_back(std::move(queue_.front()));
    queue_.pop_front();
  } while (!queue_.empty() &&
           merged.bytes() + queue_.front()->batch.bytes() <= options_.write_bytes_max);
  const absl::Status written = co_await runtime::RunBlocking(
      &world_.blocking(), [database = database_, merged = std::move(merged), sync]() mutable {
        return database->Write(&merged.changes(), sync);
      });
  if (!written.ok()) Failed(written);
  for (const std::shared_ptr<PendingWrite>& write : writes) {
    write->status = written;
    write->done.Set();
  }
}

// One attempt. LevelDB's log may end in half a record after a failed write, so only opening it
// anew, which cuts that off, makes it good to write to again.
Task<void> Store::Reopen() {
  co_await CloseDatabase();
  if (!retired_.expired()) co_return;  // A view still holds it.
  const absl::Status opened = co_await OpenDatabase();
  if (opened.ok()) {
    epoch_ = StoreEpoch(epoch_.value() + 1);
    SetState(StoreState::kOpen, absl::OkStatus());
  } else {
    SetState(StateAfter(opened), opened);
  }
}

Task<absl::Status> Store::Write(ApplyBatch batch) {
  return WriteAs(std::move(batch), Durability::kWritten);
}

Task<absl::Status> Store::SyncApplied() { return WriteAs(ApplyBatch(epoch_), Durability::kSynced); }

Task<absl::Status> Store::WriteAs(ApplyBatch batch, Durability durability) {
  if (state_ != StoreState::kOpen) co_return status_;
  if (batch.epoch() != epoch_) {
    co_return absl::AbortedError("the store was opened again: read the applied state and replay");
  }
  if (queued_bytes_ + batch.bytes() > options_.queue_bytes_max && !queue_.empty()) {
    co_return absl::ResourceExhaustedError("too much waits to be written to the store");
  }
  auto write = std::make_shared<PendingWrite>(std::move(batch), durability);
  queued_bytes_ += write->batch.bytes();
  queue_.push_back(write);
  queued_.Set();
  CO_RETURN_IF_ERROR(co_await write->done.Wait());
  co_return write->status;
}

// ---- Reading.

absl::StatusOr<std::shared_ptr<Database>> Store::database() const {
  if (state_ != StoreState::kOpen) return status_;
  return database_;
}

absl::StatusOr<View> Store::NewView(GroupId group) {
  ASSIGN_OR_RETURN(std::shared_ptr<Database> opened, database());
  return Database::NewView(std::move(opened), group, Database::Installing::kRefused);
}

Task<absl::StatusOr<std::vector<StoredGroup>>> Store::Groups() {
  CO_ASSIGN_OR_RETURN(std::shared_ptr<Database> opened, database());
  co_return co_await runtime::RunBlocking(
      &world_.blocking(), [opened = std::move(opened)] { return ReadGroups(opened); });
}

absl::StatusOr<uint64_t> Store::ApproximateBytes(const KeyRange& range) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Database> opened, database());
  const KeyRange stored = StoredData(range);
  const leveldb::Range asked(stored.start, stored.end);
  uint64_t bytes = 0;
  opened->leveldb().GetApproximateSizes(&asked, 1, &bytes);
  return bytes;
}

// ---- Long work, by steps.

Task<absl::StatusOr<WorkStep>> Store::CollectGarbage(GroupId group, KeyRange range,
                                                     runtime::Timestamp horizon,
                                                     std::string resume) {
  CO_ASSIGN_OR_RETURN(View view, NewView(group));
  const bool raised = horizon > view.horizon();
  horizon = std::max(horizon, view.horizon());
  RangeWork work(epoch_);
  if (raised) work.batch.PutStored(GroupKey(group), EncodeGroupRecord({horizon, std::nullopt}));
  absl::StatusOr<RangeWork> done = co_await runtime::RunBlocking(
      &world_.blocking(),
      [view = std::move(view), range = std::move(range), horizon, resume = std::move(resume),
       work = std::move(work)]() mutable -> absl::StatusOr<RangeWork> {
        RETURN_IF_ERROR(FindGarbage(&view, range, horizon, resume, &work));
        return std::move(work);
      });
  co_return co_await FinishStep(std::move(done), /*must_write=*/raised);
}

Task<absl::StatusOr<WorkStep>> Store::DeleteRange(KeyRange range, std::string resume) {
  co_return co_await DeleteStored(GroupId(), {StoredData(range)}, std::move(resume));
}

Task<absl::StatusOr<WorkStep>> Store::RemoveGroup(GroupId group, KeyRange range,
                                                  std::string resume) {
  if (resume.empty()) {
    ApplyBatch mark(epoch_);
    mark.PutStored(GroupKey(group),
                   EncodeGroupRecord({runtime::Timestamp::Min(), InstallMark{0, range, ""}}));
    mark.changes().Delete(AppliedKey(group));
    CO_RETURN_IF_ERROR(co_await WriteAs(std::move(mark), Durability::kSynced));
  }
  co_return co_await DeleteStored(group, {StoredState(group), StoredData(range)},
                                  std::move(resume));
}

Task<absl::StatusOr<WorkStep>> Store::DeleteStored(GroupId group, std::vector<KeyRange> stored,
                                                   std::string resume) {
  CO_ASSIGN_OR_RETURN(std::shared_ptr<Database> opened, database());
  absl::StatusOr<RangeWork> done = co_await runtime::RunBlocking(
      &world_.blocking(),
      [opened = std::move(opened), group, stored = std::move(stored), resume = std::move(resume),
       work = RangeWork(epoch_)]() mutable -> absl::StatusOr<RangeWork> {
        ASSIGN_OR_RETURN(View view,
                         Database::NewView(opened, group, Database::Installing::kAllowed));
        RETURN_IF_ERROR(FindAll(&view, stored, resume, &work));
        return std::move(work);
      });
  const bool ends_group = done.ok() && !done->step.resume.has_value() && group != GroupId();
  if (ends_group) done->batch.changes().Delete(GroupKey(group));
  co_return co_await FinishStep(std::move(done), ends_group);
}

Task<absl::StatusOr<WorkStep>> Store::FinishStep(absl::StatusOr<RangeWork> work, bool must_write) {
  CO_RETURN_IF_ERROR(work.status());
  if (must_write || work->step.deleted > 0) {
    CO_RETURN_IF_ERROR(co_await WriteAs(std::move(work->batch), Durability::kWritten));
  }
  co_return std::move(work->step);
}

}  // namespace storage
