// PhantomWorkload: rows that come and go in ranges over all shards, on conditions over the whole
// range. In one range a counter, in a shard of its own, is written with every change: whoever sees
// both sees them agree. In another nobody writes what others do, and there are never more rows than
// each writer had made sure of before: what holds them apart are the locks on gaps.
#ifndef WORKLOAD_PHANTOMS_H_
#define WORKLOAD_PHANTOMS_H_

#include <string>
#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class PhantomWorkload final : public TransactionWorkload {
 public:
  PhantomWorkload(TransactionJournal* journal, int shards);

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;
  bool locks_ranges() const override { return true; }

 private:
  // What somebody saw of the range with the counter.
  struct Sight {
    int64_t rows = 0;
    int64_t counter = 0;
  };
  struct Change {
    bool insert = true;
    Key row = {};       // To be inserted.
    int64_t which = 0;  // To be deleted.
    txn::LockMode mode = txn::LockMode::kShared;
  };

  Change SomeChange(runtime::Random* random, absl::string_view name);
  runtime::Task<absl::Status> ChangeCounted(Change change, Sight* sight, runtime::Random* random,
                                            RecordedTransaction* transaction);
  runtime::Task<absl::Status> ChangeLimited(Change change, int64_t* rows, runtime::Random* random,
                                            RecordedTransaction* transaction);
  runtime::Task<void> ActCounted(WorkloadClient* client);
  runtime::Task<void> ActLimited(WorkloadClient* client);
  runtime::Task<absl::Status> Look(WorkloadClient* client, txn::ReadBound bound);
  void CheckCounted(const Sight& sight, absl::string_view where);
  void CheckLimited(int64_t rows, absl::string_view where);

  // Of the rows with such names in all shards: from the first to the last one, and all others that
  // happen to lie between.
  KeyRange RangeOf(absl::string_view name) const;
  static bool IsRow(const Key& key, absl::string_view name);
  static std::vector<txn::ScannedRow> OnlyRows(std::vector<txn::ScannedRow> rows,
                                               absl::string_view name);

  const Key counter_;
};

}  // namespace workload

#endif  // WORKLOAD_PHANTOMS_H_
