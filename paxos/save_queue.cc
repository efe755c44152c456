#include "paxos/save_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "paxos/records.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"

namespace paxos {
namespace {

constexpr size_t kUnderWayMax = 16;
constexpr size_t kBatchBytesMax = 4 << 20;
// Between two attempts while the disk is in trouble.
constexpr Duration kPause = std::chrono::milliseconds(50);

size_t BytesOf(const GroupSave& save) {
  size_t bytes = save.save.hard_state ? 256 : 64;
  for (const AcceptedEntry& accepted : save.save.entries) bytes += accepted.entry.bytes();
  return bytes;
}

storage::LogWrite EncodeSave(const GroupSave& save) {
  storage::LogWrite write{.group = save.group};
  if (save.save.hard_state) {
    write.meta = EncodeGroupMeta(*save.save.hard_state, save.founding.get());
  }
  write.entries.reserve(save.save.entries.size());
  for (const AcceptedEntry& accepted : save.save.entries) {
    write.entries.push_back({accepted.slot, EncodeLogEntry(accepted)});
  }
  return write;
}

}  // namespace

struct SaveQueue::Batch {
  std::vector<GroupSave> saves;
  size_t bytes = 0;
  bool ended = false;
  bool durable = false;
};

SaveQueue::SaveQueue(storage::LogStore* log, Instruments* instruments, runtime::TaskScope* scope,
                     DurableCallback durable)
    : log_(*log), instruments_(*instruments), scope_(*scope), durable_(std::move(durable)) {}
SaveQueue::~SaveQueue() = default;

void SaveQueue::Add(GroupSave save) {
  bytes_ += BytesOf(save);
  ++added_;
  gathering_.push_back(std::move(save));
}

void SaveQueue::Flush() {
  auto next = gathering_.begin();
  while (next != gathering_.end() && !trouble_ && under_way_.size() < kUnderWayMax &&
         !scope_.closed()) {
    auto batch = std::make_shared<Batch>();
    while (next != gathering_.end() && batch->bytes < kBatchBytesMax) {
      batch->bytes += BytesOf(*next);
      batch->saves.push_back(std::move(*next));
      ++next;
    }
    under_way_.push_back(batch);
    scope_.Spawn(Write(std::move(batch)));
  }
  gathering_.erase(gathering_.begin(), next);
}

std::vector<storage::LogWrite> SaveQueue::Encode(const Batch& batch) {
  std::vector<storage::LogWrite> writes;
  writes.reserve(batch.saves.size());
  for (const GroupSave& save : batch.saves) writes.push_back(EncodeSave(save));
  return writes;
}

runtime::Task<void> SaveQueue::Write(std::shared_ptr<Batch> batch) {
  const absl::Status written = co_await log_.Write(Encode(*batch));
  batch->durable = written.ok();
  Ended(batch.get());
}

void SaveQueue::Ended(Batch* batch) {
  batch->ended = true;
  if (!batch->durable) {
    instruments_.save_failures.Add();
    trouble_ = true;
  }
  ReportDurable();
  const bool all_ended =
      std::all_of(under_way_.begin(), under_way_.end(), [](const auto& one) { return one->ended; });
  if (trouble_ && all_ended && !scope_.closed()) scope_.Spawn(WriteAgain());
  Flush();
}

// What follows a refused one waits for it, even if it was written.
void SaveQueue::ReportDurable() {
  while (!under_way_.empty() && under_way_.front()->durable) {
    const std::shared_ptr<Batch> batch = std::move(under_way_.front());
    under_way_.pop_front();
    bytes_ -= batch->bytes;
    durable_count_ += batch->saves.size();
    instruments_.saves.Add(static_cast<double>(batch->saves.size()));
    for (const GroupSave& save : batch->saves) durable_(save.group, save.save.id);
  }
  changed_.Raise();
}

runtime::Task<void> SaveQueue::WriteAgain() {
  for (const std::shared_ptr<Batch>& batch : under_way_) batch->durable = false;
  while (!under_way_.empty()) {
    const std::shared_ptr<Batch> batch = under_way_.front();
    batch->durable = (co_await log_.Write(Encode(*batch))).ok();
    if (batch->durable) {
      ReportDurable();
    } else if (!(co_await runtime::SleepFor(kPause)).ok()) {
      co_return;
    }
  }
  trouble_ = false;
  Flush();
}

runtime::Task<absl::Status> SaveQueue::Drain() {
  const uint64_t until = added_;
  while (durable_count_ < until) {
    CO_RETURN_IF_ERROR(log_.Check());
    CO_RETURN_IF_ERROR(co_await changed_.Wait(runtime::Executor::Current().Now() + kPause));
  }
  co_return absl::OkStatus();
}

}  // namespace paxos
