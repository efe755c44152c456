// ExternalWorkload: chains of writes by different clients, each of which begins when the one before it
// was told, outside of the database, that its write is acknowledged. So their timestamps ascend; who
// sees a write, in whatever snapshot, sees the one before it; and who begins to read after a write was
// acknowledged sees that one (TX-EXTERNAL).
#ifndef WORKLOAD_EXTERNAL_CHAINS_H_
#define WORKLOAD_EXTERNAL_CHAINS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "workload/recorded.h"
#include "workload/transaction_workload.h"

namespace workload {

class ExternalWorkload final : public TransactionWorkload {
 public:
  ExternalWorkload(TransactionJournal* journal, int shards);

  runtime::Task<absl::Status> Prepare(WorkloadClient* client) override;
  runtime::Task<void> Act(WorkloadClient* client) override;
  runtime::Task<absl::Status> ReadAll(WorkloadClient* client) override;

 private:
  // A write that was acknowledged, as one client tells the other.
  struct Told {
    Key key = {};
    int64_t tag = 0;
    runtime::Timestamp timestamp = runtime::Timestamp::Min();
  };
  struct Link {
    std::optional<Told> after;
    // None: it was never acknowledged, and may have been written all the same.
    std::optional<runtime::Timestamp> timestamp;
  };
  using Seen = std::map<Key, int64_t>;  // By tag; 0: nothing is there.

  Key SomeKey(runtime::Random* random) const;
  runtime::Task<void> Write(WorkloadClient* client);
  runtime::Task<absl::Status> Put(Key key, std::optional<Told> after, int64_t* tag,
                                  RecordedTransaction* transaction);
  runtime::Task<absl::Status> Look(WorkloadClient* client, txn::ReadBound bound);
  // Whether what `seen` has of the key is that write, or a later one.
  bool Reaches(const Seen& seen, const Told& told) const;
  void CheckSeen(const Seen& seen, runtime::Timestamp at);

  std::vector<Key> keys_;
  std::optional<Told> last_;
  std::map<int64_t, Link> links_;  // By tag.
};

}  // namespace workload

#endif  // WORKLOAD_EXTERNAL_CHAINS_H_
