// AppendWorkload: lists in rows, several in a transaction, read and appended to; its history has to
// be strictly serializable. Lists show the order of their writes to every reader, so this finds the
// most.
#ifndef WORKLOAD_APPENDS_H_
#define WORKLOAD_APPENDS_H_

#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class AppendWorkload final : public TransactionWorkload {
 public:
  AppendWorkload(TransactionJournal* journal, int shards);

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;

 private:
  // A list at a time: a full one is left, and a new one begun.
  struct Slot {
    Key key;
    int appended = 0;
    int lists = 0;
  };
  struct Step {
    Key key;
    bool append = false;
    bool tells_read = false;  // The history hears what was there before.
    txn::LockMode mode = txn::LockMode::kShared;
  };

  void NewList(size_t slot);
  std::vector<Step> SomeSteps(runtime::Random* random);
  runtime::Task<absl::Status> Body(std::vector<Step> steps, RecordedTransaction* transaction);
  runtime::Task<absl::Status> Snapshot(WorkloadClient* client, txn::ReadBound bound,
                                       std::vector<Key> keys);

  std::vector<Slot> slots_;
  std::vector<Key> all_keys_;
};

}  // namespace workload

#endif  // WORKLOAD_APPENDS_H_
