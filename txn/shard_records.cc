#include "txn/shard_records.h"

#include <utility>

#include "runtime/status_macros.h"
#include "txn/wire.h"

namespace txn {
namespace {

namespace proto = wire::proto;

std::string KeyOf(char kind, const TransactionId& id) {
  std::string key(1, kind);
  AppendTransactionId(id, &key);
  return key;
}

}  // namespace

std::string OutcomeKey(const TransactionId& id) { return KeyOf('o', id); }
std::string PreparedKey(const TransactionId& id) { return KeyOf('p', id); }
std::string WaitingKey(const TransactionId& id) { return KeyOf('w', id); }

KeyRange PreparedKeys() { return {"p", "q"}; }
KeyRange WaitingKeys() { return {"w", "x"}; }
KeyRange OutcomeKeys(const TransactionId& from, const TransactionId& before) {
  return {OutcomeKey(from), OutcomeKey(before)};
}

absl::StatusOr<TransactionId> IdOfKey(absl::string_view key) {
  if (key.empty()) return wire::Bad("an empty key");
  return DecodeTransactionId(key.substr(1));
}

std::string EncodeShardMeta(const ShardMeta& meta) {
  proto::ShardRecord out;
  wire::Encode(meta.descriptor.range, out.mutable_range());
  out.set_generation(meta.descriptor.generation);
  out.set_forgotten_before(meta.marks.forgotten_before.nanoseconds());
  wire::Encode(meta.marks.swept_before, out.mutable_swept_before());
  wire::Encode(meta.marks.newest, out.mutable_newest_outcome());
  return out.SerializeAsString();
}

absl::StatusOr<ShardMeta> DecodeShardMeta(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const proto::ShardRecord in, wire::Parse<proto::ShardRecord>(bytes));
  ShardMeta meta;
  meta.descriptor = {wire::Decode(in.range()), in.generation()};
  if (meta.descriptor.generation == 0) return wire::Bad("a shard without a generation");
  meta.marks = {.forgotten_before = Timestamp(in.forgotten_before()),
                .swept_before = wire::Decode(in.swept_before()),
                .newest = wire::Decode(in.newest_outcome())};
  return meta;
}

std::string EncodeOutcome(const Outcome& outcome) {
  proto::Outcome out;
  wire::Encode(outcome, &out);
  return out.SerializeAsString();
}

absl::StatusOr<Outcome> DecodeOutcome(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const proto::Outcome in, wire::Parse<proto::Outcome>(bytes));
  return wire::Decode(in);
}

std::string EncodePrepared(const PreparedTransaction& prepared) {
  proto::PreparedRecord out;
  const Prepare command{.id = prepared.id,
                        .age = prepared.age,
                        .coordinator = prepared.coordinator,
                        .writes = prepared.writes,
                        .locks = prepared.locks};
  wire::Encode(command, out.mutable_command());
  out.set_timestamp(prepared.timestamp.nanoseconds());
  return out.SerializeAsString();
}

absl::StatusOr<PreparedTransaction> DecodePrepared(absl::string_view bytes) {
  ASSIGN_OR_RETURN(proto::PreparedRecord in, wire::Parse<proto::PreparedRecord>(bytes));
  ASSIGN_OR_RETURN(Prepare command, wire::Decode(in.mutable_command()));
  return PreparedTransaction{.id = command.id,
                             .age = command.age,
                             .timestamp = Timestamp(in.timestamp()),
                             .coordinator = command.coordinator,
                             .writes = std::move(command.writes),
                             .locks = std::move(command.locks)};
}

std::string EncodeWaiting(const std::vector<GroupId>& groups) {
  proto::WaitingRecord out;
  wire::Encode(groups, out.mutable_participants());
  return out.SerializeAsString();
}

absl::StatusOr<std::vector<GroupId>> DecodeWaiting(absl::string_view bytes) {
  ASSIGN_OR_RETURN(const proto::WaitingRecord in, wire::Parse<proto::WaitingRecord>(bytes));
  return wire::Decode(in.participants());
}

}  // namespace txn
