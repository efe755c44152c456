#include "storage/log_committer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/executor.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "runtime/status_macros.h"
#include "runtime/time.h"

namespace storage {
namespace {

using runtime::operator""ms;
using runtime::operator""s;

// How long the disk is left alone after it has failed: at first, and at most.
constexpr runtime::Duration kBackoffMin = 50ms;
constexpr runtime::Duration kBackoffMax = 2s;

runtime::Task<absl::Status> WaitFor(runtime::Event* event) { co_return co_await event->Wait(); }

void AppendWrite(const LogWrite& write, std::string* payload) {
  const GroupId group = write.group;
  if (write.erase) AppendRecord({.kind = RecordKind::kErase, .group = group}, payload);
  if (write.truncate_before.has_value()) {
    AppendRecord({.kind = RecordKind::kTruncate, .group = group, .slot = *write.truncate_before},
                 payload);
  }
  if (write.meta.has_value()) {
    AppendRecord({.kind = RecordKind::kMeta, .group = group, .bytes = *write.meta}, payload);
  }
  for (const LogEntry& entry : write.entries) {
    AppendRecord({RecordKind::kEntry, group, entry.slot, entry.bytes}, payload);
  }
}

}  // namespace

// One try to make a batch durable: the blocking work, all that it needs, and what came of it.
struct LogCommitter::Attempt {
  leveldb::Env* files;
  std::string directory;
  SegmentHeader new_segment;  // To be made if there is no writer.
  std::unique_ptr<SegmentWriter> writer;
  std::unique_ptr<SegmentWriter> left;  // To be closed.
  uint64_t sequence;
  SegmentNumber first_segment;
  std::shared_ptr<const std::string> payload;
  uint64_t offset = 0;

  absl::Status Run() {
    left = nullptr;
    const absl::Status written = Write();
    // Closed here and now: what a file still has in its buffer must not reach a later attempt's.
    if (!written.ok()) writer = nullptr;
    return written;
  }

  absl::Status Write() {
    if (writer == nullptr) {
      ASSIGN_OR_RETURN(writer, SegmentWriter::Create(files, directory, new_segment));
    }
    offset = writer->size();
    return writer->Append(sequence, first_segment, *payload);
  }
};

// Waits for room; woken when it has been given.
struct LogCommitter::RoomWaiter final : runtime::Waiter {
  RoomWaiter(runtime::WaitList* waiters, size_t size) : list(waiters), bytes(size) {}
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    list->push_back(*this);
    return Suspend(coroutine, coroutine.promise().cancel);
  }
  absl::Status await_resume() { return std::move(status()); }

  runtime::WaitList* const list;
  const size_t bytes;
};

LogCommitter::LogCommitter(runtime::World* world, std::string directory, LogStoreOptions options,
                           LogIndex* index, LogCache* cache, LogMetrics* metrics)
    : world_(world),
      directory_(std::move(directory)),
      options_(options),
      index_(index),
      cache_(cache),
      metrics_(metrics),
      scope_(runtime::Executor::Current()) {
  // A batch is what was gathered, what is moved, and one write too many of either.
  CHECK_LE(2 * (options_.batch_bytes_max + LogStore::kWriteBytesMax), kBatchPayloadBytesMax);
  // Offsets in a segment have 32 bits.
  CHECK_LE(options_.segment_bytes, size_t{1} << 30);
}

runtime::Task<absl::Status> LogCommitter::Start(LogTail tail, LogIndex::Metas* metas) {
  next_segment_ = tail.segment;
  next_sequence_ = tail.sequence;
  metrics_->ShowState(state_);
  CO_RETURN_IF_ERROR(
      co_await WriteOnce(std::make_shared<const std::string>(std::move(tail.payload)), metas));
  scope_.Spawn(Run());
  co_return absl::OkStatus();
}

runtime::Task<void> LogCommitter::Close() {
  if (state_ != LogState::kDamaged) {
    SetState(LogState::kClosed, absl::FailedPreconditionError("the log store is closed"));
  }
  closing_.Set();
  work_.Set();
  co_await scope_.Join();
  while (!room_waiters_.empty()) room_waiters_.front().Wake(Check());
}

absl::Status LogCommitter::Check() const { return trouble_; }

// ---- Gathering.

bool LogCommitter::Fits(size_t bytes) const {
  return queued_bytes_ == 0 || queued_bytes_ + bytes <= options_.queue_bytes_max;
}

bool LogCommitter::TryAdmit(size_t bytes) {
  if (!room_waiters_.empty() || waking_ > 0 || !Fits(bytes)) return false;
  queued_bytes_ += bytes;
  ++waking_;
  return true;
}

runtime::Task<absl::Status> LogCommitter::Admit(size_t bytes) {
  if (TryAdmit(bytes)) co_return absl::OkStatus();
  const absl::Status waited = co_await RoomWaiter(&room_waiters_, bytes);
  if (!waited.ok()) {
    // One that gave up may have kept a smaller one behind it waiting.
    MakeRoom();
    co_return waited;
  }
  if (!Check().ok()) Release(bytes);
  co_return Check();
}

void LogCommitter::Release(size_t bytes) {
  queued_bytes_ -= bytes;
  --waking_;
  MakeRoom();
}

void LogCommitter::MakeRoom() {
  while (!room_waiters_.empty()) {
    auto& first = static_cast<RoomWaiter&>(room_waiters_.front());
    if (!Fits(first.bytes)) break;
    queued_bytes_ += first.bytes;
    ++waking_;
    first.Wake();
  }
  metrics_->queued_bytes.Set(static_cast<double>(queued_bytes_));
}

std::shared_ptr<LogCommitter::Gathering> LogCommitter::Gather(absl::Span<const LogWrite> writes,
                                                              size_t bytes) {
  CHECK_GT(waking_, 0) << "gathered without having been admitted";
  --waking_;
  if (queue_.empty() || queue_.back()->payload.size() >= options_.batch_bytes_max) {
    queue_.push_back(std::make_shared<Gathering>());
  }
  const std::shared_ptr<Gathering> gathering = queue_.back();
  for (const LogWrite& write : writes) AppendWrite(write, &gathering->payload);
  gathering->writes += writes.size();
  gathering->bytes += bytes;
  work_.Set();
  return gathering;
}

runtime::Task<absl::Status> LogCommitter::Relocate(const std::vector<Relocation>* relocations) {
  CHECK(relocations_ == nullptr);
  CO_RETURN_IF_ERROR(Check());
  const auto done = std::make_shared<Gathering>();
  relocations_ = relocations;
  relocated_ = done;
  work_.Set();
  const absl::Status waited = co_await done->done.Wait();
  if (relocations_ == relocations) relocations_ = nullptr;
  CO_RETURN_IF_ERROR(waited);
  co_return done->result;
}

// ---- Writing.

runtime::Task<void> LogCommitter::Run() {
  absl::Status written;
  while (written.ok() && state_ != LogState::kDamaged) {
    if (queue_.empty() && relocations_ == nullptr) {
      if (closing_.is_set()) break;
      work_.Reset();
      if (!(co_await work_.Wait()).ok()) break;
      continue;
    }
    std::shared_ptr<Gathering> gathering;
    std::shared_ptr<Gathering> relocated = std::exchange(relocated_, nullptr);
    written = co_await WriteUntilDurable(MakePayload(&gathering));
    const absl::Status result = written.ok() ? written : Check();
    if (gathering != nullptr) Finish(gathering.get(), result);
    if (relocated != nullptr) Finish(relocated.get(), result);
    MakeRoom();
    written_.Set();
  }
  if (written.ok() && state_ == LogState::kClosed) {
    // Nothing follows the last batch, so only this one proves that it was synced.
    (co_await WriteOnce(std::make_shared<const std::string>(), nullptr)).IgnoreError();
  }
  FailQueued(Check());
}

std::shared_ptr<const std::string> LogCommitter::MakePayload(
    std::shared_ptr<Gathering>* gathering) {
  auto payload = std::make_shared<std::string>();
  if (relocations_ != nullptr) {
    // First, and only what the batches before have left live: what is newer must win.
    for (const Relocation& relocation : *std::exchange(relocations_, nullptr)) {
      if (index_->IsLive(relocation.record, relocation.place)) {
        AppendRecord(relocation.record, payload.get());
      }
    }
    metrics_->relocated_bytes.Add(static_cast<double>(payload->size()));
  }
  if (!queue_.empty()) {
    *gathering = std::move(queue_.front());
    queue_.pop_front();
    if (payload->empty()) {
      *payload = std::move((*gathering)->payload);
    } else {
      *payload += (*gathering)->payload;
    }
  }
  return payload;
}

runtime::Task<absl::Status> LogCommitter::WriteUntilDurable(
    std::shared_ptr<const std::string> payload) {
  runtime::Duration backoff = kBackoffMin;
  while (true) {
    const absl::Status written = co_await WriteOnce(payload, nullptr);
    if (written.ok() || state_ == LogState::kDamaged || closing_.is_set()) {
      if (written.ok() && !closing_.is_set() && state_ != LogState::kDamaged) {
        SetState(LogState::kHealthy, absl::OkStatus());
      }
      co_return written;
    }
    SetState(absl::IsResourceExhausted(written) ? LogState::kFull : LogState::kStalled, written);
    (co_await runtime::WithTimeout(backoff, WaitFor(&closing_))).IgnoreError();
    backoff = std::min(2 * backoff, kBackoffMax);
  }
}

runtime::Task<absl::Status> LogCommitter::WriteOnce(std::shared_ptr<const std::string> payload,
                                                    LogIndex::Metas* metas) {
  const bool leave = writer_ != nullptr && (writer_->size() >= options_.segment_bytes ||
                                            writer_->header().segment <= clean_through_);
  const SegmentNumber first_segment =
      index_->segments().empty() ? next_segment_ : index_->segments().front().number;
  auto attempt =
      std::make_shared<Attempt>(Attempt{.files = &world_->files(),
                                        .directory = directory_,
                                        .new_segment = {.segment = next_segment_,
                                                        .first_segment = first_segment,
                                                        .salt = world_->random().Next(),
                                                        .first_sequence = next_sequence_},
                                        .writer = leave ? nullptr : std::move(writer_),
                                        .left = leave ? std::move(writer_) : nullptr,
                                        .sequence = next_sequence_,
                                        .first_segment = first_segment,
                                        .payload = payload});
  const runtime::MonotonicTime begun = runtime::Executor::Current().Now();
  const absl::Status written =
      co_await runtime::RunBlocking(&world_->blocking(), [attempt] { return attempt->Run(); });
  if (!written.ok()) {
    // What the file holds from here on is unknown, also after a sync that would succeed.
    metrics_->failures.Add();
    world_->experiments().Probe("storage.log_segment_abandoned");
    co_return written;
  }
  writer_ = std::move(attempt->writer);
  metrics_->commit_time.Record(runtime::Executor::Current().Now() - begun);
  co_return Durable(payload, attempt->offset, metas);
}

absl::Status LogCommitter::Durable(const std::shared_ptr<const std::string>& payload,
                                   uint64_t offset, LogIndex::Metas* metas) {
  const SegmentNumber segment = writer_->header().segment;
  if (segment == next_segment_) {
    index_->AddSegment(segment, next_sequence_);
    ++next_segment_;
  }
  ++next_sequence_;
  index_->SetFileBytes(writer_->size());
  const BatchPlace place = {
      .segment = segment,
      .payload_offset = static_cast<uint32_t>(offset + kBatchHeaderBytes),
      .twin_distance = static_cast<uint32_t>(BatchTwinOffset(offset, payload->size()) - offset)};
  const absl::Status applied = index_->Apply(*payload, place, metas);
  // A tail may come from anywhere; what was made here is right.
  if (metas != nullptr) RETURN_IF_ERROR(applied);
  CHECK(applied.ok()) << applied;
  cache_->Add(place, payload);
  metrics_->batches.Add();
  metrics_->bytes.Add(static_cast<double>(payload->size()));
  metrics_->file_bytes.Set(static_cast<double>(index_->file_bytes()));
  metrics_->live_bytes.Set(static_cast<double>(index_->live_bytes()));
  metrics_->segments.Set(static_cast<double>(index_->segments().size()));
  return absl::OkStatus();
}

void LogCommitter::Finish(Gathering* gathering, const absl::Status& result) {
  queued_bytes_ -= gathering->bytes;
  if (result.ok()) metrics_->writes.Add(static_cast<double>(gathering->writes));
  gathering->result = result;
  gathering->done.Set();
}

void LogCommitter::FailQueued(const absl::Status& why) {
  for (const std::shared_ptr<Gathering>& gathering : std::exchange(queue_, {})) {
    Finish(gathering.get(), why);
  }
  relocations_ = nullptr;
  if (relocated_ != nullptr) Finish(std::exchange(relocated_, nullptr).get(), why);
  while (!room_waiters_.empty()) room_waiters_.front().Wake(why);
}

// ---- States.

void LogCommitter::SetState(LogState state, const absl::Status& why) {
  if (state_ == LogState::kDamaged) return;
  trouble_ = why;
  if (state_ == state) return;
  state_ = state;
  metrics_->ShowState(state);
  const bool fine = state == LogState::kHealthy || state == LogState::kClosed;
  world_->log().Write(fine ? runtime::Severity::kInfo : runtime::Severity::kError, "log.state",
                      {{"state", LogStateName(state)}, {"reason", std::string(why.message())}});
}

void LogCommitter::SetDamaged(const absl::Status& why) {
  SetState(LogState::kDamaged, why);
  closing_.Set();
  work_.Set();
}

void LogCommitter::CleanThrough(SegmentNumber segment) {
  clean_through_ = std::max(clean_through_, segment);
  written_.Set();
}

}  // namespace storage
