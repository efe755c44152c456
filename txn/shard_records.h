// What a shard's group keeps in its own state (ApplyBatch::PutState), which travels with its
// snapshots: records, and the keys under which they stand.
//
//   m            ShardMeta, once
//   o | id       the outcome of a transaction
//   p | id       a prepared transaction
//   w | id       the groups that an outcome still has to reach
//
// Decoding is for bytes from a disk or another node: whatever is wrong with them is DATA_LOSS.
// Format: docs/formats.md, "A shard".
#ifndef TXN_SHARD_RECORDS_H_
#define TXN_SHARD_RECORDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "txn/commands.h"

namespace txn {

inline constexpr absl::string_view kShardMetaKey = "m";
std::string OutcomeKey(const TransactionId& id);
std::string PreparedKey(const TransactionId& id);
std::string WaitingKey(const TransactionId& id);
// All keys of a kind, and those of outcomes from one id to before another.
KeyRange PreparedKeys();
KeyRange WaitingKeys();
KeyRange OutcomeKeys(const TransactionId& from, const TransactionId& before);
// That of any of these keys but the first.
absl::StatusOr<TransactionId> IdOfKey(absl::string_view key);

struct ShardMeta {
  ShardDescriptor descriptor;
  OutcomeMarks marks;

  friend bool operator==(const ShardMeta&, const ShardMeta&) = default;
};

std::string EncodeShardMeta(const ShardMeta& meta);
absl::StatusOr<ShardMeta> DecodeShardMeta(absl::string_view bytes);
std::string EncodeOutcome(const Outcome& outcome);
absl::StatusOr<Outcome> DecodeOutcome(absl::string_view bytes);
std::string EncodePrepared(const PreparedTransaction& prepared);
absl::StatusOr<PreparedTransaction> DecodePrepared(absl::string_view bytes);
std::string EncodeWaiting(const std::vector<GroupId>& groups);
absl::StatusOr<std::vector<GroupId>> DecodeWaiting(absl::string_view bytes);

}  // namespace txn

#endif  // TXN_SHARD_RECORDS_H_
