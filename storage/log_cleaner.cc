#include "storage/log_cleaner.h"

#include <algorithm>
#include <utility>

#include "runtime/blocking.h"
#include "runtime/check.h"
#include "runtime/executor.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/time.h"
#include "storage/log_recovery.h"

namespace storage {
namespace {

using runtime::operator""ms;

constexpr runtime::Duration kRetryDelay = 500ms;
// How much is moved with one batch: little, so that commits stay quick, unless the files get large.
constexpr size_t kMoveBytes = 128 << 10;
constexpr size_t kMoveBytesInExcess = 1 << 20;
constexpr double kMuchExcess = 0.25;
// So many segments may be much smaller than they should be.
constexpr size_t kSmallSegmentsMax = 8;

}  // namespace

LogCleaner::LogCleaner(runtime::World* world, std::string directory, LogStoreOptions options,
                       LogIndex* index, LogCommitter* committer)
    : world_(world),
      directory_(std::move(directory)),
      options_(options),
      index_(index),
      committer_(committer),
      scope_(runtime::Executor::Current()) {}

double LogCleaner::Excess() const {
  // Each live byte is there twice, and as much may be dead.
  const uint64_t allowed = 4 * index_->live_bytes() + 3 * options_.segment_bytes;
  return static_cast<double>(index_->file_bytes()) / static_cast<double>(allowed) - 1;
}

bool LogCleaner::Needed() const {
  const std::deque<LogSegment>& segments = index_->segments();
  if (!dropped_.empty() || committer_->clean_through() >= segments.front().number) return true;
  if (segments.size() < 2) return false;
  const size_t full_segments = static_cast<size_t>(index_->file_bytes() / options_.segment_bytes);
  return segments.front().live_bytes == 0 || Excess() > 0 ||
         segments.size() > 4 * full_segments + kSmallSegmentsMax;
}

runtime::Task<void> LogCleaner::Run() {
  while (true) {
    absl::Status done;
    if (Needed()) {
      done = co_await Clean();
    } else {
      committer_->written().Reset();
      done = co_await committer_->written().Wait();
    }
    if (absl::IsDataLoss(done)) committer_->SetDamaged(done);
    if (absl::IsCancelled(done) || committer_->state() == LogState::kDamaged) co_return;
    if (!done.ok() && !(co_await runtime::SleepFor(kRetryDelay)).ok()) co_return;
  }
}

runtime::Task<absl::Status> LogCleaner::Clean() {
  const std::deque<LogSegment>& segments = index_->segments();
  if (segments.size() == 1 && dropped_.empty()) {
    // It is being written: an empty batch begins the next one.
    const std::vector<Relocation> nothing;
    co_return co_await committer_->Relocate(&nothing);
  }
  if (segments.size() > 1 && segments.front().live_bytes > 0) {
    CO_RETURN_IF_ERROR(co_await MoveLive(segments[0], segments[1].first_sequence));
  }
  while (segments.size() > 1 && segments.front().live_bytes == 0) {
    dropped_.push_back(segments.front().number);
    index_->DropFirstSegment();
  }
  co_return co_await RemoveDropped();
}

runtime::Task<absl::Status> LogCleaner::MoveLive(LogSegment segment, uint64_t end_sequence) {
  CO_ASSIGN_OR_RETURN(const LoadedSegment loaded,
                      co_await runtime::RunBlocking(
                          &world_->blocking(), [files = &world_->files(), directory = directory_,
                                                number = segment.number, end_sequence] {
                            return LoadSegment(files, directory, number, end_sequence);
                          }));
  std::vector<Relocation> moving;
  size_t bytes = 0;
  for (const ScannedBatch& batch : loaded.scan.batches) {
    RecordReader reader(batch.payload);
    while (!reader.done()) {
      CO_ASSIGN_OR_RETURN(const LogRecord record, reader.Next());
      LogPlace place = {.segment = segment.number, .twin_distance = batch.twin_distance};
      if (record.kind == RecordKind::kMeta || record.kind == RecordKind::kEntry) {
        place.offset = batch.payload_offset +
                       static_cast<uint32_t>(record.bytes.data() - batch.payload.data());
        place.size = static_cast<uint32_t>(record.bytes.size());
      }
      if (!index_->IsLive(record, place)) continue;
      moving.push_back({record, place});
      bytes += record.bytes.size() + kRecordOverheadMax;
      if (bytes < (Excess() > kMuchExcess ? kMoveBytesInExcess : kMoveBytes)) continue;
      // What is moved points into `loaded`, which stays.
      CO_RETURN_IF_ERROR(co_await committer_->Relocate(&moving));
      moving.clear();
      bytes = 0;
    }
  }
  if (!moving.empty()) CO_RETURN_IF_ERROR(co_await committer_->Relocate(&moving));
  CHECK_EQ(index_->segments().front().live_bytes, 0u);
  world_->experiments().Probe("storage.log_segment_cleaned");
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> LogCleaner::RemoveDropped() {
  if (dropped_.empty()) co_return absl::OkStatus();
  // Every batch says which segments are needed; this one does so soon.
  const std::vector<Relocation> nothing;
  CO_RETURN_IF_ERROR(co_await committer_->Relocate(&nothing));
  const absl::Status removed = co_await runtime::RunBlocking(
      &world_->blocking(), [files = &world_->files(), directory = directory_, dropped = dropped_] {
        for (const SegmentNumber segment : dropped) {
          RETURN_IF_ERROR(RemoveSegment(files, directory, segment));
        }
        return absl::OkStatus();
      });
  if (!removed.ok()) {
    // The next start removes them.
    world_->log().Write(runtime::Severity::kWarning, "log.segment_not_removed",
                        {{"reason", std::string(removed.message())}});
  }
  dropped_.clear();
  co_return absl::OkStatus();
}

}  // namespace storage
