// SaveQueue: the saves of all groups on their way to the log, in order.
//
// Order:       the saves of a group become durable in the order in which they came, also when the
//              log refuses some: then everything from the first refused one on is written again,
//              in order, before anything new (PX-DURABLE: what a later save says must not be
//              overwritten by an earlier one, nor be told before it).
// Grouped:     what gathers in a turn is one write; several writes are under way at a time. While
//              the disk is in trouble all gathers, and goes on by itself.
// Concurrency: one loop.
#ifndef PAXOS_SAVE_QUEUE_H_
#define PAXOS_SAVE_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "paxos/group_home.h"
#include "paxos/instruments.h"
#include "paxos/signal.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "storage/log_store.h"

namespace paxos {

class SaveQueue {
 public:
  using DurableCallback = std::function<void(storage::GroupId, SaveId)>;

  // All outlive it. `durable` is told of each save.
  SaveQueue(storage::LogStore* log, Instruments* instruments, runtime::TaskScope* scope,
            DurableCallback durable);
  ~SaveQueue();

  void Add(GroupSave save);
  // Begins to write what was added.
  void Flush();
  bool gathering() const { return !gathering_.empty(); }
  // What is not durable yet, roughly.
  size_t bytes() const { return bytes_; }
  // Waits until all that was added before is durable.
  runtime::Task<absl::Status> Drain();

 private:
  struct Batch;

  static std::vector<storage::LogWrite> Encode(const Batch& batch);
  runtime::Task<void> Write(std::shared_ptr<Batch> batch);
  runtime::Task<void> WriteAgain();
  void Ended(Batch* batch);
  void ReportDurable();

  storage::LogStore& log_;
  Instruments& instruments_;
  runtime::TaskScope& scope_;
  const DurableCallback durable_;
  std::vector<GroupSave> gathering_;
  std::deque<std::shared_ptr<Batch>> under_way_;  // In order; at most a few.
  bool trouble_ = false;
  size_t bytes_ = 0;
  uint64_t added_ = 0;
  uint64_t durable_count_ = 0;
  Signal changed_;
};

}  // namespace paxos

#endif  // PAXOS_SAVE_QUEUE_H_
