// Transaction: one attempt of a read-write transaction, as its session drives it (TX-LOCKS, TX-2PC).
//
//   std::unique_ptr<Transaction> transaction = gateway.Begin();
//   CO_ASSIGN_OR_RETURN(Values values, co_await transaction->Get({"a", "b"}, LockMode::kExclusive));
//   CO_RETURN_IF_ERROR(transaction->Put("a", "1"));
//   CO_ASSIGN_OR_RETURN(Timestamp s, co_await transaction->Commit());
//
// Reads:       lock what they read at the leaders, key ranges with their gaps included, and see the
//              newest rows with this transaction's own writes laid over them.
// Writes:      are kept here until Commit(), which locks them.
// Isolation:   strict serializability (TX-EXTERNAL) of what commits. What was read before a commit
//              that fails may never have been together.
// Ends:        with Commit() or Rollback(). One that is destroyed before releases its locks in the
//              background. After an error other than of the arguments it has ended (see errors.h);
//              ABORTED may be tried again, as a new attempt of the same Age.
// Alive:       its gateway keeps its locks while it lives (TX-ALIVE).
// Concurrency: one loop, that of its gateway, and one call at a time.
#ifndef TXN_TRANSACTION_H_
#define TXN_TRANSACTION_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/kernel/lock.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

// Of each key that was asked for, in their order; none: there is no such row.
using Values = std::vector<std::optional<std::string>>;

struct ScanQuery {
  KeyRange range;
  bool backward = false;
  // It stops after so many rows, or once they have so many bytes (at least one row is given).
  size_t rows_max = 1000;
  size_t bytes_max = 1 << 20;
};

struct ScannedRow {
  Key key;
  std::string value;

  friend bool operator==(const ScannedRow&, const ScannedRow&) = default;
};

struct ScanPage {
  std::vector<ScannedRow> rows;
  // What is left to scan; none when all of the range was.
  std::optional<KeyRange> rest;
};

class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;

  virtual const TransactionId& id() const = 0;
  virtual const Age& age() const = 0;
  // The group that decides, from Commit() on; none if there was nothing to decide.
  virtual std::optional<storage::GroupId> coordinator() const = 0;

  // The rows of these keys, locked in `mode`: kShared to read, kUpdate or kExclusive to write them
  // later.
  virtual runtime::Task<absl::StatusOr<Values>> Get(std::vector<Key> keys, LockMode mode) = 0;
  // The rows of a range. What the page covers, from where the scan began to where `rest` begins, is
  // locked, gaps included.
  virtual runtime::Task<absl::StatusOr<ScanPage>> Scan(ScanQuery query, LockMode mode) = 0;

  // RESOURCE_EXHAUSTED: it would be more than a transaction may write; it goes on without this.
  virtual absl::Status Put(Key key, std::string value) = 0;
  virtual absl::Status Delete(Key key) = 0;

  // Savepoints undo writes. Locks stay.
  using Savepoint = size_t;
  virtual Savepoint Save() = 0;
  // Forgets what was written since. The savepoint stays, later ones do not.
  virtual void RollBackTo(Savepoint savepoint) = 0;

  // The commit timestamp. It has passed, everywhere, when this ends (TX-COMMIT-WAIT). A transaction
  // that wrote nothing gets one above all that it read. UNKNOWN: it may have committed, or may
  // still; Gateway::Conclude() can tell later.
  virtual runtime::Task<absl::StatusOr<runtime::Timestamp>> Commit() = 0;
  virtual runtime::Task<void> Rollback() = 0;

 protected:
  Transaction() = default;
};

}  // namespace txn

#endif  // TXN_TRANSACTION_H_
