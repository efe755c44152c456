// WriteSkewWorkload: pairs of doctors in different shards. Whoever goes off call has read that the
// other one is on; so one of each pair always is. Two who do that at once, each on what the other
// changes, would both be off: write skew.
#ifndef WORKLOAD_WRITE_SKEW_H_
#define WORKLOAD_WRITE_SKEW_H_

#include <array>
#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class WriteSkewWorkload final : public TransactionWorkload {
 public:
  WriteSkewWorkload(TransactionJournal* journal, int shards);

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;

 private:
  using Pair = std::array<Key, 2>;

  runtime::Task<absl::Status> Fill(RecordedTransaction* transaction);
  // The one of `which` goes off if it is on and the other one is, and on if it is off.
  runtime::Task<absl::Status> Change(Pair pair, size_t which, bool one_by_one,
                                     RecordedTransaction* transaction);
  runtime::Task<absl::Status> Look(WorkloadClient* client, txn::ReadBound bound, Pair pair);

  std::vector<Pair> pairs_;
};

}  // namespace workload

#endif  // WORKLOAD_WRITE_SKEW_H_
