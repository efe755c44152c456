#include "workload/recorded.h"

#include <algorithm>
#include <utility>

#include "runtime/sleep.h"
#include "runtime/status_macros.h"

namespace workload {
namespace {

using runtime::Duration;
using runtime::operator""ms;
using runtime::operator""s;

constexpr int kAttemptsMax = 6;
constexpr Duration kPauseBetweenAttempts = 10ms;
// Longer than a node that hears nothing keeps a transaction's locks, in some runs.
constexpr Duration kLongThought = 3s;

// Whether a commit that ended like this may have happened.
bool MayHaveCommitted(const absl::Status& status) {
  return absl::IsUnknown(status) || absl::IsCancelled(status);
}

template <typename Page>
void Take(Page* page, std::vector<txn::ScannedRow>* rows, txn::ScanQuery* query) {
  for (txn::ScannedRow& row : page->rows) rows->push_back(std::move(row));
  if (page->rest.has_value()) query->range = *page->rest;
}

txn::ScanQuery SomeScan(KeyRange range, runtime::Random* random) {
  txn::ScanQuery query{.range = std::move(range), .backward = random->Chance(0.3)};
  if (random->Chance(0.6)) query.rows_max = static_cast<size_t>(random->Uniform(1, 5));
  if (random->Chance(0.2)) query.bytes_max = static_cast<size_t>(random->Uniform(1, 60));
  return query;
}

}  // namespace

RecordedTransaction::RecordedTransaction(WorkloadClient* client, std::optional<txn::Age> age)
    : client_(*client),
      journal_(*client->journal),
      transaction_(client->gateway->Begin(age)),
      entry_(client->journal->Begin(client->process)) {}

runtime::Task<void> RecordedTransaction::Think() {
  if (!client_.random->Chance(0.1)) co_return;
  const Duration thought =
      client_.random->Chance(0.05) ? kLongThought : client_.random->Exponential(20ms);
  (co_await runtime::SleepFor(thought)).IgnoreError();
}

runtime::Task<absl::StatusOr<txn::Values>> RecordedTransaction::Get(std::vector<Key> keys,
                                                                    txn::LockMode mode) {
  co_await Think();
  co_return co_await transaction_->Get(std::move(keys), mode);
}

runtime::Task<absl::StatusOr<txn::ScanPage>> RecordedTransaction::Scan(txn::ScanQuery query,
                                                                       txn::LockMode mode) {
  co_await Think();
  co_return co_await transaction_->Scan(std::move(query), mode);
}

absl::Status RecordedTransaction::Put(Key key, std::string value, checker::EventOperation write) {
  RETURN_IF_ERROR(transaction_->Put(std::move(key), std::move(value)));
  journal_.Did(entry_, std::move(write));
  return absl::OkStatus();
}

absl::Status RecordedTransaction::Put(Key key, std::string value) {
  return transaction_->Put(std::move(key), std::move(value));
}

absl::Status RecordedTransaction::Delete(Key key) { return transaction_->Delete(std::move(key)); }

runtime::Task<absl::Status> RecordedTransaction::Commit() {
  journal_.Commits(entry_);
  const absl::StatusOr<runtime::Timestamp> committed = co_await transaction_->Commit();
  if (committed.ok()) {
    timestamp_ = *committed;
    journal_.Committed(entry_, *committed);
    co_return absl::OkStatus();
  }
  if (!MayHaveCommitted(committed.status())) {
    journal_.Failed(entry_, committed.status());
    co_return committed.status();
  }
  std::optional<TransactionJournal::Doubt> doubt;
  if (const auto coordinator = transaction_->coordinator(); coordinator.has_value()) {
    doubt = {.entry = entry_, .id = transaction_->id(), .coordinator = *coordinator};
  }
  journal_.Unknown(entry_, doubt, committed.status());
  co_return committed.status();
}

runtime::Task<void> RecordedTransaction::GiveUp(absl::Status why) {
  journal_.Failed(entry_, why);
  // Who vanishes says nothing.
  if (client_.random->Chance(0.7)) co_await transaction_->Rollback();
}

runtime::Task<absl::StatusOr<runtime::Timestamp>> RunRecorded(WorkloadClient* client,
                                                              RecordedBody body) {
  std::optional<txn::Age> age;
  absl::Status ended;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    RecordedTransaction transaction(client, age);
    age = transaction.age();
    ended = co_await body(&transaction);
    if (ended.ok() && client->random->Chance(0.02)) {
      ended = absl::CancelledError("the client has vanished");
    }
    if (ended.ok()) {
      ended = co_await transaction.Commit();
    } else {
      co_await transaction.GiveUp(ended);
    }
    if (ended.ok()) co_return transaction.timestamp();
    if (!absl::IsAborted(ended)) co_return ended;
    CO_RETURN_IF_ERROR(
        co_await runtime::SleepFor(client->random->Exponential(kPauseBetweenAttempts)));
  }
  co_return ended;
}

RecordedSnapshot::RecordedSnapshot(WorkloadClient* client, txn::ReadBound bound)
    : journal_(*client->journal),
      bound_(bound),
      reads_(client->gateway->BeginReadOnly(bound)),
      entry_(client->journal->Begin(client->process)) {}

runtime::Task<absl::StatusOr<txn::Values>> RecordedSnapshot::Get(std::vector<Key> keys) {
  co_return co_await reads_->Get(std::move(keys));
}

runtime::Task<absl::StatusOr<txn::ScanPage>> RecordedSnapshot::Scan(txn::ScanQuery query) {
  co_return co_await reads_->Scan(std::move(query));
}

void RecordedSnapshot::End() {
  const std::optional<runtime::Timestamp> timestamp = reads_->timestamp();
  if (!timestamp.has_value()) {
    journal_.Wrong("TX-READ-ONLY: a read-only transaction has read, and has no timestamp");
    return;
  }
  journal_.Read(entry_, *timestamp, bound_);
}

void RecordedSnapshot::GiveUp(const absl::Status& why) { journal_.Failed(entry_, why); }

txn::ReadBound SomeBound(WorkloadClient* client, bool single) {
  runtime::Random& random = *client->random;
  const double kind = random.Fraction();
  if (kind < 0.2) return txn::ReadBound::Stale(1ms + random.Exponential(500ms));
  if (kind < 0.4) return txn::ReadBound::Bounded(random.Exponential(1s));
  const std::optional<runtime::Timestamp> last = client->journal->LastCommit();
  if (kind < 0.5 && last.has_value()) return txn::ReadBound::At(*last);
  txn::ReadBound strong = txn::ReadBound::Strong();
  strong.single = single && random.Chance(0.7);
  return strong;
}

runtime::Task<absl::StatusOr<std::vector<txn::ScannedRow>>> ScanAll(
    RecordedTransaction* transaction, KeyRange range, txn::LockMode mode, runtime::Random* random) {
  std::vector<txn::ScannedRow> rows;
  txn::ScanQuery query = SomeScan(std::move(range), random);
  while (true) {
    CO_ASSIGN_OR_RETURN(txn::ScanPage page, co_await transaction->Scan(query, mode));
    Take(&page, &rows, &query);
    if (!page.rest.has_value()) break;
  }
  if (query.backward) std::reverse(rows.begin(), rows.end());
  co_return rows;
}

runtime::Task<absl::StatusOr<std::vector<txn::ScannedRow>>> ScanAll(RecordedSnapshot* snapshot,
                                                                    KeyRange range,
                                                                    runtime::Random* random) {
  std::vector<txn::ScannedRow> rows;
  txn::ScanQuery query = SomeScan(std::move(range), random);
  while (true) {
    CO_ASSIGN_OR_RETURN(txn::ScanPage page, co_await snapshot->Scan(query));
    Take(&page, &rows, &query);
    if (!page.rest.has_value()) break;
  }
  if (query.backward) std::reverse(rows.begin(), rows.end());
  co_return rows;
}

}  // namespace workload
