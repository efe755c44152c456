// RecordedTransaction and RecordedSnapshot: what a client does, with the journal kept.
//
//   RecordedTransaction transaction(client, std::nullopt);
//   CO_ASSIGN_OR_RETURN(txn::Values values, co_await transaction.Get(keys, txn::LockMode::kShared));
//   transaction.Saw(checker::Read(key, Number(values[0])));
//   CO_RETURN_IF_ERROR(transaction.Put(key, "7", checker::Write(key, 7)));
//   absl::Status ended = co_await transaction.Commit();
//
// What a read means only the workload knows, so it says that itself.
#ifndef WORKLOAD_RECORDED_H_
#define WORKLOAD_RECORDED_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "txn/read_only.h"
#include "txn/transaction.h"
#include "workload/checker/history_builder.h"
#include "workload/transaction_workload.h"

namespace workload {

class RecordedTransaction {
 public:
  // `client` outlives it. `age`: of an earlier attempt.
  RecordedTransaction(WorkloadClient* client, std::optional<txn::Age> age);

  // Clients think between two steps, some for longer than a node remembers them.
  runtime::Task<absl::StatusOr<txn::Values>> Get(std::vector<Key> keys, txn::LockMode mode);
  runtime::Task<absl::StatusOr<txn::ScanPage>> Scan(txn::ScanQuery query, txn::LockMode mode);
  void Saw(checker::EventOperation read) { journal_.Did(entry_, std::move(read)); }
  absl::Status Put(Key key, std::string value, checker::EventOperation write);
  // Of what the history does not tell.
  absl::Status Put(Key key, std::string value);
  absl::Status Delete(Key key);

  // OK, or what the transaction ended with; the journal knows it.
  runtime::Task<absl::Status> Commit();
  // Of one that has not come to Commit(), for this reason.
  runtime::Task<void> GiveUp(absl::Status why);

  const txn::Age& age() const { return transaction_->age(); }
  // After Commit() was OK.
  runtime::Timestamp timestamp() const { return timestamp_; }

 private:
  runtime::Task<void> Think();

  WorkloadClient& client_;
  TransactionJournal& journal_;
  const std::unique_ptr<txn::Transaction> transaction_;
  const TransactionJournal::EntryId entry_;
  runtime::Timestamp timestamp_ = runtime::Timestamp::Min();
};

// Runs `body` as a transaction, again while it is aborted, a few times. Now and then the client
// vanishes in the middle: CANCELLED. `body` may be run more than once, and what it learned counts
// only if this is OK. The commit timestamp.
using RecordedBody = std::function<runtime::Task<absl::Status>(RecordedTransaction*)>;
runtime::Task<absl::StatusOr<runtime::Timestamp>> RunRecorded(WorkloadClient* client,
                                                              RecordedBody body);

// A read-only transaction.
class RecordedSnapshot {
 public:
  RecordedSnapshot(WorkloadClient* client, txn::ReadBound bound);

  runtime::Task<absl::StatusOr<txn::Values>> Get(std::vector<Key> keys);
  runtime::Task<absl::StatusOr<txn::ScanPage>> Scan(txn::ScanQuery query);
  void Saw(checker::EventOperation read) { journal_.Did(entry_, std::move(read)); }
  // All its reads have succeeded, or it is given up.
  void End();
  void GiveUp(const absl::Status& why);

  const txn::ReadBound& bound() const { return bound_; }
  runtime::Timestamp timestamp() const { return *reads_->timestamp(); }

 private:
  TransactionJournal& journal_;
  const txn::ReadBound bound_;
  const std::unique_ptr<txn::ReadOnly> reads_;
  const TransactionJournal::EntryId entry_;
};

// How new a read is to be, drawn: of all kinds. `single`: there will be one read only.
txn::ReadBound SomeBound(WorkloadClient* client, bool single);

// All rows of a range, page by page of a drawn size, from a drawn end.
runtime::Task<absl::StatusOr<std::vector<txn::ScannedRow>>> ScanAll(
    RecordedTransaction* transaction, KeyRange range, txn::LockMode mode, runtime::Random* random);
runtime::Task<absl::StatusOr<std::vector<txn::ScannedRow>>> ScanAll(RecordedSnapshot* snapshot,
                                                                    KeyRange range,
                                                                    runtime::Random* random);

}  // namespace workload

#endif  // WORKLOAD_RECORDED_H_
