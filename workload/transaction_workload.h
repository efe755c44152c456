// TransactionWorkload: something that many clients do to a database at once, and what must be true of
// what they are told.
//
//   while (!(co_await workload->Prepare(client)).ok()) ...   // once
//   co_await workload->Act(client);                          // each client, again and again
//   co_await workload->ReadAll(client);                      // when all has come to rest
//   absl::Status judged = workload->Judge();
//
// Place:       above a Gateway, beneath whatever makes clusters and trouble; it knows neither
//              nodes nor the simulator.
// Wrong:       what can be seen at once goes to the journal's `wrong`, the rest comes from Judge().
// Concurrency: one thread for all clients, although each has a gateway of its own.
#ifndef WORKLOAD_TRANSACTION_WORKLOAD_H_
#define WORKLOAD_TRANSACTION_WORKLOAD_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/random.h"
#include "runtime/task.h"
#include "txn/gateway.h"
#include "workload/key_space.h"
#include "workload/transaction_journal.h"

namespace workload {

// Who does it. A client does one thing at a time. What it points to outlives it.
struct WorkloadClient {
  txn::Gateway* gateway = nullptr;
  runtime::Random* random = nullptr;
  TransactionJournal* journal = nullptr;
  int64_t process = 0;
};

class TransactionWorkload {
 public:
  virtual ~TransactionWorkload() = default;
  TransactionWorkload(const TransactionWorkload&) = delete;
  TransactionWorkload& operator=(const TransactionWorkload&) = delete;

  // Writes what there has to be in the beginning. Can be repeated until it is OK.
  virtual runtime::Task<absl::Status> Prepare(WorkloadClient* client) = 0;
  virtual runtime::Task<void> Act(WorkloadClient* client) = 0;
  // Reads all that there is. Not OK: it could not be read now.
  virtual runtime::Task<absl::Status> ReadAll(WorkloadClient* client) = 0;
  // Whether its clients hold locks on rows that are not theirs.
  virtual bool locks_ranges() const { return false; }
  virtual absl::Status Judge() { return journal_->Judge(); }

  TransactionJournal& journal() { return *journal_; }

 protected:
  TransactionWorkload(TransactionJournal* journal, int shards)
      : journal_(journal), key_space_(shards) {}

  const KeySpace& key_space() const { return key_space_; }

 private:
  TransactionJournal* const journal_;
  const KeySpace key_space_;
};

// By name: bank, append, register, write-skew, long-fork, phantom, external. `journal` outlives it.
std::unique_ptr<TransactionWorkload> MakeWorkload(absl::string_view name,
                                                  TransactionJournal* journal, int shards);

}  // namespace workload

#endif  // WORKLOAD_TRANSACTION_WORKLOAD_H_
