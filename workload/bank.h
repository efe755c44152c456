// BankWorkload: transfers between accounts in all shards. Whoever sees all accounts at once, by locks
// or in a snapshot however old, sees the same total; and no account is invented, lost or overdrawn.
//
// Each balance carries a tag, so the history of all transfers is one of registers and is judged as
// such, too.
#ifndef WORKLOAD_BANK_H_
#define WORKLOAD_BANK_H_

#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class BankWorkload final : public TransactionWorkload {
 public:
  BankWorkload(TransactionJournal* journal, int shards);

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;

 private:
  struct Transfer {
    Key from;
    Key to;
    int64_t amount = 0;
    txn::LockMode mode = txn::LockMode::kExclusive;
  };
  // What a reader of all accounts saw.
  struct Sight {
    int accounts = 0;
    int64_t total = 0;
  };

  Transfer SomeTransfer(runtime::Random* random) const;
  runtime::Task<absl::Status> Fill(RecordedTransaction* transaction);
  runtime::Task<absl::Status> Pay(Transfer transfer, RecordedTransaction* transaction);
  runtime::Task<absl::Status> Count(Sight* sight, RecordedTransaction* transaction);
  runtime::Task<void> CountLocked(WorkloadClient* client);
  runtime::Task<absl::Status> CountInSnapshot(WorkloadClient* client, txn::ReadBound bound);
  void CheckSight(const Sight& sight, absl::string_view where);

  std::vector<Key> accounts_;
};

}  // namespace workload

#endif  // WORKLOAD_BANK_H_
