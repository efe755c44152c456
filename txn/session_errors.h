// The errors that a session sees, made of what shards refused: one code for each thing that the
// session can do.
//
//   ABORTED             The transaction, again: with the age of this attempt (Gateway::Run()).
//   UNAVAILABLE         The same, later. Nothing was done.
//   RESOURCE_EXHAUSTED  Less, or later.
//   OUT_OF_RANGE        Another timestamp, or another question: what is asked for is not kept.
//   UNKNOWN             Gateway::Conclude() can tell whether it was committed.
//   FAILED_PRECONDITION The transaction has ended.
//   INTERNAL            Nothing: gateway and shards do not understand each other.
#ifndef TXN_SESSION_ERRORS_H_
#define TXN_SESSION_ERRORS_H_

#include "absl/status/status.h"
#include "txn/kernel/lock.h"

namespace txn {

// Of a read-write transaction. What is no refusal stays as it is: why a task was cancelled.
absl::Status TransactionError(const absl::Status& error);
// Of a read without locks, or of a question for an outcome.
absl::Status ReadError(const absl::Status& error);

// The map knows no shard with these keys.
absl::Status NoShard(const KeyRange& keys);
bool IsWrongRange(const absl::Status& error);

}  // namespace txn

#endif  // TXN_SESSION_ERRORS_H_
