// LogCommitter: group commit. Gathers what is to be written, writes it batch by batch, each synced
// before the next is begun, and goes on in a new segment when the disk has failed.
//
// Place:       a part of the LogStore, on its loop; it alone writes to segments.
// Order:       Admit() and Gather() keep the order of their callers. A batch takes effect in index
//              and cache when it is durable, before anybody is told.
// Trouble:     see LogStore. A batch keeps its bytes and its sequence number until it is durable,
//              so which of the attempts a crash leaves does not matter.
#ifndef STORAGE_LOG_COMMITTER_H_
#define STORAGE_LOG_COMMITTER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "runtime/cancel_scope.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/world.h"
#include "storage/log_cache.h"
#include "storage/log_index.h"
#include "storage/log_metrics.h"
#include "storage/log_segment.h"
#include "storage/log_store.h"

namespace storage {

// A record to be written again elsewhere, if it is still live when its turn comes.
struct Relocation {
  LogRecord record;
  LogPlace place;
};

// The batch that may not have been synced before a restart: it is written again first.
struct LogTail {
  uint64_t sequence = 1;
  SegmentNumber segment = 1;  // The new segment that it goes to.
  std::string payload;
};

class LogCommitter {
 public:
  // What is written together, while it is being collected and on its way.
  struct Gathering {
    std::string payload;
    size_t writes = 0;
    size_t bytes = 0;  // Admitted for it.
    runtime::Event done;
    absl::Status result;  // Once done.
  };

  // `world`, `index`, `cache` and `metrics` outlive it.
  LogCommitter(runtime::World* world, std::string directory, LogStoreOptions options,
               LogIndex* index, LogCache* cache, LogMetrics* metrics);

  // Writes the tail, to a new segment, and begins to serve. After an error it was not started.
  runtime::Task<absl::Status> Start(LogTail tail, LogIndex::Metas* metas);
  // Refuses what is new, writes what was gathered unless the disk is in trouble, and ends with a
  // batch that proves that the one before was synced.
  runtime::Task<void> Close();

  // Takes room for `bytes`, waiting for it in order. OK means that Gather() follows at once.
  runtime::Task<absl::Status> Admit(size_t bytes);
  // The same if no wait is needed.
  bool TryAdmit(size_t bytes);
  // Adds what was admitted with `bytes` to the batch that is being gathered.
  std::shared_ptr<Gathering> Gather(absl::Span<const LogWrite> writes, size_t bytes);

  // Writes again those of `relocations` that are live when their batch is made. One at a time.
  runtime::Task<absl::Status> Relocate(const std::vector<Relocation>* relocations);

  LogState state() const { return state_; }
  absl::Status Check() const;

  // Both copies of something are bad. For good.
  void SetDamaged(const absl::Status& why);
  // A bad copy was found: all segments up to this one are to be cleaned.
  void CleanThrough(SegmentNumber segment);
  SegmentNumber clean_through() const { return clean_through_; }
  // Set after each batch.
  runtime::Event& written() { return written_; }

 private:
  struct Attempt;
  struct RoomWaiter;

  runtime::Task<void> Run();
  // The next batch's payload; what is gathered goes to `gathering`, null if there is none.
  std::shared_ptr<const std::string> MakePayload(std::shared_ptr<Gathering>* gathering);
  runtime::Task<absl::Status> WriteUntilDurable(std::shared_ptr<const std::string> payload);
  runtime::Task<absl::Status> WriteOnce(std::shared_ptr<const std::string> payload,
                                        LogIndex::Metas* metas);
  absl::Status Durable(const std::shared_ptr<const std::string>& payload, uint64_t offset,
                       LogIndex::Metas* metas);
  void Finish(Gathering* gathering, const absl::Status& result);
  void FailQueued(const absl::Status& why);
  bool Fits(size_t bytes) const;
  void Release(size_t bytes);
  void MakeRoom();
  void SetState(LogState state, const absl::Status& why);

  runtime::World* const world_;
  const std::string directory_;
  const LogStoreOptions options_;
  LogIndex* const index_;
  LogCache* const cache_;
  LogMetrics* const metrics_;

  LogState state_ = LogState::kHealthy;
  absl::Status trouble_;                   // Why it is not healthy.
  std::unique_ptr<SegmentWriter> writer_;  // Null: the next batch begins a new segment.
  SegmentNumber next_segment_ = 1;         // The number of the next segment file.
  uint64_t next_sequence_ = 1;
  SegmentNumber clean_through_ = 0;

  std::deque<std::shared_ptr<Gathering>> queue_;
  size_t queued_bytes_ = 0;  // Admitted, and not yet durable.
  runtime::WaitList room_waiters_;
  int waking_ = 0;  // Writers that have room and not yet gathered.
  const std::vector<Relocation>* relocations_ = nullptr;
  std::shared_ptr<Gathering> relocated_;

  runtime::Event work_;
  runtime::Event written_;
  runtime::Event closing_;
  runtime::TaskScope scope_;
};

}  // namespace storage

#endif  // STORAGE_LOG_COMMITTER_H_
