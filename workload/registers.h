// RegisterWorkload: reads and writes of registers, several in a transaction, each value once; its
// history has to be strictly serializable.
//
// LongForkWorkload: the same with blind writes of one register each and with snapshots of all of
// them: no two may see two writes in different orders.
#ifndef WORKLOAD_REGISTERS_H_
#define WORKLOAD_REGISTERS_H_

#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class RegisterWorkload : public TransactionWorkload {
 public:
  RegisterWorkload(TransactionJournal* journal, int shards)
      : RegisterWorkload(journal, shards, {}) {}

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;

 protected:
  struct Mix {
    int keys_per_shard = 2;
    double snapshots = 0.3;
    // Of the others: a single write, of what was not read.
    double blind_writes = 0.2;
    int steps_max = 4;
    bool snapshots_of_all = false;
  };
  RegisterWorkload(TransactionJournal* journal, int shards, Mix mix);

 private:
  // What is done with some keys at once.
  struct Step {
    enum class Kind : uint8_t { kRead, kWrite, kReadThenWrite };
    Kind kind = Kind::kRead;
    std::vector<Key> keys;
    txn::LockMode mode = txn::LockMode::kShared;
  };

  std::vector<Key> SomeKeys(runtime::Random* random) const;
  std::vector<Step> SomeSteps(runtime::Random* random) const;
  runtime::Task<absl::Status> Body(std::vector<Step> steps, RecordedTransaction* transaction);
  runtime::Task<absl::Status> Snapshot(WorkloadClient* client, txn::ReadBound bound,
                                       std::vector<Key> keys);

  const Mix mix_;
  std::vector<Key> keys_;
};

class LongForkWorkload final : public RegisterWorkload {
 public:
  LongForkWorkload(TransactionJournal* journal, int shards)
      : RegisterWorkload(journal, shards,
                         {.keys_per_shard = 1,
                          .snapshots = 0.4,
                          .blind_writes = 1,
                          .steps_max = 1,
                          .snapshots_of_all = true}) {}
};

}  // namespace workload

#endif  // WORKLOAD_REGISTERS_H_
