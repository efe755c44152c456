#include "storage/log_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "runtime/blocking.h"
#include "runtime/check.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/log_cache.h"
#include "storage/log_cleaner.h"
#include "storage/log_committer.h"
#include "storage/log_index.h"
#include "storage/log_metrics.h"
#include "storage/log_reader.h"
#include "storage/log_recovery.h"

namespace storage {
namespace {

// So often a read is begun again because the cleaner has moved what it was after.
constexpr int kReadAttempts = 5;

LogStoreOptions WithExperiments(LogStoreOptions options, runtime::Experiments& experiments) {
  if (experiments.Buggify("storage.small_segments")) options.segment_bytes = 64 << 10;
  if (experiments.Buggify("storage.small_batches")) options.batch_bytes_max = 1 << 10;
  if (experiments.Buggify("storage.small_log_queue")) options.queue_bytes_max = 8 << 10;
  if (experiments.Buggify("storage.small_log_cache")) options.cache_bytes_max = 4 << 10;
  return options;
}

// What the records of `writes` take, or which limit they break.
absl::StatusOr<size_t> SizeOf(absl::Span<const LogWrite> writes) {
  size_t size = 0;
  for (const LogWrite& write : writes) {
    size += 3 * kRecordOverheadMax;
    if (write.meta.has_value()) {
      if (write.meta->size() > LogWrite::kMetaBytesMax) {
        return absl::InvalidArgumentError("a group's metadata is too large");
      }
      size += write.meta->size();
    }
    for (const LogEntry& entry : write.entries) {
      if (entry.slot == Slot()) return absl::InvalidArgumentError("slot 0 holds no entry");
      size += entry.bytes.size() + kRecordOverheadMax;
    }
  }
  if (size > LogStore::kWriteBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a write to the log of ", size, " bytes is too large"));
  }
  return size;
}

}  // namespace

absl::string_view LogStateName(LogState state) {
  switch (state) {
    case LogState::kHealthy:
      return "healthy";
    case LogState::kFull:
      return "full";
    case LogState::kStalled:
      return "stalled";
    case LogState::kDamaged:
      return "damaged";
    case LogState::kClosed:
      return "closed";
  }
  return "unknown";
}

class LogStore::Core {
 public:
  Core(runtime::World* world, std::string directory, LogStoreOptions options)
      : world_(world),
        directory_(std::move(directory)),
        options_(WithExperiments(options, world->experiments())),
        metrics_(world->metrics()),
        cache_(options_.cache_bytes_max),
        committer_(world, directory_, options_, &index_, &cache_, &metrics_),
        cleaner_(world, directory_, options_, &index_, &committer_) {}

  runtime::Task<absl::Status> Open() {
    CO_ASSIGN_OR_RETURN(RecoveredLog log, co_await runtime::RunBlocking(
                                              &world_->blocking(),
                                              [files = &world_->files(), directory = directory_] {
                                                return RecoverLog(files, directory);
                                              }));
    index_ = std::move(log.index);
    if (log.bad_copies > 0) BadCopies(log.bad_copies, log.clean_through);
    const SegmentNumber newest = log.tail.segment;
    CO_RETURN_IF_ERROR(co_await committer_.Start(std::move(log.tail), &log.metas));
    co_await RemoveLeftovers(std::move(log.leftovers), newest);
    ListGroups(std::move(log.metas));
    cleaner_.Start();
    world_->log().Write(runtime::Severity::kInfo, "log.opened",
                        {{"groups", index_.groups().size()},
                         {"segments", index_.segments().size()},
                         {"live_bytes", index_.live_bytes()},
                         {"bad_copies", log.bad_copies}});
    co_return absl::OkStatus();
  }

  runtime::Task<void> Close() {
    co_await cleaner_.Close();
    co_await committer_.Close();
  }

  std::vector<RecoveredGroup> TakeRecovered() { return std::exchange(recovered_, {}); }

  runtime::Task<absl::StatusOr<std::vector<LogEntry>>> Read(GroupId group, Slot from, Slot to,
                                                            size_t bytes_max);

  LogCommitter& committer() { return committer_; }

 private:
  runtime::Task<void> RemoveLeftovers(LogFiles leftovers, SegmentNumber newest) {
    co_await runtime::RunBlocking(&world_->blocking(),
                                  [files = &world_->files(), directory = directory_,
                                   leftovers = std::move(leftovers), newest] {
                                    for (const SegmentNumber mark : leftovers.marks) {
                                      if (mark != newest) RemoveMark(files, directory, mark);
                                    }
                                    for (const SegmentNumber segment : leftovers.segments) {
                                      RemoveSegment(files, directory, segment).IgnoreError();
                                    }
                                    return true;
                                  });
  }

  void ListGroups(LogIndex::Metas metas) {
    for (const auto& [id, group] : index_.groups()) {
      recovered_.push_back({.group = id,
                            .meta = std::move(metas[id]),
                            .truncated_before = group.truncated_before,
                            .first = LogIndex::FirstSlot(group),
                            .last = LogIndex::LastSlot(group)});
    }
  }

  // Copies are bad; their twins are whole, and all up to that segment is written again.
  void BadCopies(int count, SegmentNumber segment) {
    metrics_.bad_copies.Add(count);
    world_->experiments().Probe("storage.log_twin_used");
    world_->log().Write(runtime::Severity::kWarning, "log.bad_copies",
                        {{"count", count}, {"segment", segment}});
    committer_.CleanThrough(segment);
  }

  // What memory has of `placed` goes to `entries`; the rest is returned.
  std::vector<PlacedEntry> ReadCache(const std::vector<PlacedEntry>& placed,
                                     std::vector<LogEntry>* entries) const {
    std::vector<PlacedEntry> missing;
    for (const PlacedEntry& entry : placed) {
      if (const auto bytes = cache_.Find(entry.place); bytes.has_value()) {
        entries->push_back({entry.slot, std::string(bytes->data(), bytes->size())});
      } else {
        missing.push_back(entry);
      }
    }
    return missing;
  }

  absl::Status TakeFetched(const std::vector<PlacedEntry>& placed,
                           std::vector<FetchedEntry> fetched, std::vector<LogEntry>* entries);

  runtime::World* const world_;
  const std::string directory_;
  const LogStoreOptions options_;
  LogMetrics metrics_;
  LogIndex index_;
  LogCache cache_;
  LogCommitter committer_;
  LogCleaner cleaner_;
  std::vector<RecoveredGroup> recovered_;
};

absl::Status LogStore::Core::TakeFetched(const std::vector<PlacedEntry>& placed,
                                         std::vector<FetchedEntry> fetched,
                                         std::vector<LogEntry>* entries) {
  absl::Status result;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (!fetched[i].bytes.ok()) {
      result = fetched[i].bytes.status();
      continue;
    }
    if (fetched[i].first_copy_bad) BadCopies(1, placed[i].place.segment);
    entries->push_back({placed[i].slot, *std::move(fetched[i].bytes)});
  }
  return result;
}

runtime::Task<absl::StatusOr<std::vector<LogEntry>>> LogStore::Core::Read(GroupId group, Slot from,
                                                                          Slot to,
                                                                          size_t bytes_max) {
  absl::Status failure;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const std::vector<PlacedEntry> placed = index_.Find(group, from, to, bytes_max);
    std::vector<LogEntry> entries;
    entries.reserve(placed.size());
    std::vector<PlacedEntry> missing = ReadCache(placed, &entries);
    if (missing.empty()) co_return entries;
    std::vector<FetchedEntry> fetched = co_await runtime::RunBlocking(
        &world_->blocking(), [files = &world_->files(), directory = directory_, group, missing] {
          return FetchEntries(files, directory, group, missing);
        });
    failure = TakeFetched(missing, std::move(fetched), &entries);
    if (failure.ok()) {
      std::sort(entries.begin(), entries.end(),
                [](const LogEntry& a, const LogEntry& b) { return a.slot < b.slot; });
      co_return entries;
    }
    // Meanwhile it may have been moved, or have died; otherwise the failure stands.
    const std::vector<PlacedEntry> now = index_.Find(group, from, to, bytes_max);
    const bool moved = !std::equal(placed.begin(), placed.end(), now.begin(), now.end(),
                                   [](const PlacedEntry& a, const PlacedEntry& b) {
                                     return a.slot == b.slot && a.place == b.place;
                                   });
    if (!moved) break;
  }
  if (absl::IsDataLoss(failure)) committer_.SetDamaged(failure);
  co_return failure;
}

LogStore::LogStore(std::unique_ptr<Core> core) : core_(std::move(core)) {}
LogStore::~LogStore() = default;

runtime::Task<absl::StatusOr<std::unique_ptr<LogStore>>> LogStore::Open(runtime::World* world,
                                                                        std::string directory,
                                                                        LogStoreOptions options) {
  auto core = std::make_unique<Core>(world, std::move(directory), options);
  CO_RETURN_IF_ERROR(co_await core->Open());
  co_return std::unique_ptr<LogStore>(new LogStore(std::move(core)));
}

runtime::Task<void> LogStore::Close() { return core_->Close(); }

std::vector<RecoveredGroup> LogStore::TakeRecovered() { return core_->TakeRecovered(); }

runtime::Task<absl::Status> LogStore::Write(LogWrite write) {
  LogCommitter& committer = core_->committer();
  CO_RETURN_IF_ERROR(committer.Check());
  CO_ASSIGN_OR_RETURN(const size_t size, SizeOf(absl::MakeConstSpan(&write, 1)));
  if (!committer.TryAdmit(size)) CO_RETURN_IF_ERROR(co_await committer.Admit(size));
  const auto gathering = committer.Gather(absl::MakeConstSpan(&write, 1), size);
  CO_RETURN_IF_ERROR(co_await gathering->done.Wait());
  co_return gathering->result;
}

runtime::Task<absl::Status> LogStore::Write(std::vector<LogWrite> writes) {
  LogCommitter& committer = core_->committer();
  CO_RETURN_IF_ERROR(committer.Check());
  CO_ASSIGN_OR_RETURN(const size_t size, SizeOf(writes));
  if (!committer.TryAdmit(size)) CO_RETURN_IF_ERROR(co_await committer.Admit(size));
  const auto gathering = committer.Gather(writes, size);
  CO_RETURN_IF_ERROR(co_await gathering->done.Wait());
  co_return gathering->result;
}

runtime::Task<absl::StatusOr<std::vector<LogEntry>>> LogStore::Read(GroupId group, Slot from,
                                                                    Slot to, size_t bytes_max) {
  return core_->Read(group, from, to, bytes_max);
}

LogState LogStore::state() const { return core_->committer().state(); }
absl::Status LogStore::Check() const { return core_->committer().Check(); }

}  // namespace storage
