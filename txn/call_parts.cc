#include "txn/call_parts.h"

#include <algorithm>
#include <string>
#include <utility>

namespace txn::wire {

void Encode(const Age& age, proto::Age* out) {
  out->set_first_begun(age.first_begun.nanoseconds());
  Encode(age.first, out->mutable_first());
}

Age Decode(const proto::Age& in) { return {Timestamp(in.first_begun()), Decode(in.first())}; }

void Encode(paxos::Ballot ballot, proto::Ballot* out) {
  out->set_round(ballot.round);
  out->set_replica(ballot.replica.value());
}

paxos::Ballot Decode(const proto::Ballot& in) {
  return {in.round(), paxos::ReplicaId(in.replica())};
}

void Encode(const std::vector<Lock>& locks, Locks* out) {
  for (const Lock& lock : locks) {
    proto::Lock& one = *out->Add();
    Encode(lock.range, one.mutable_range());
    one.set_mode(static_cast<proto::LockMode>(lock.mode));
  }
}

absl::StatusOr<std::vector<Lock>> Decode(const Locks& in) {
  std::vector<Lock> locks;
  locks.reserve(static_cast<size_t>(in.size()));
  for (const proto::Lock& one : in) {
    Lock lock{.range = Decode(one.range())};
    if (lock.range.empty()) return absl::InvalidArgumentError("a lock on no keys");
    // A mode that is not known is the strongest.
    lock.mode = static_cast<LockMode>(std::clamp<int>(one.mode(), 0, 2));
    locks.push_back(std::move(lock));
  }
  return locks;
}

void Encode(const ScanQuery& scan, proto::Scan* out) {
  Encode(scan.range, out->mutable_range());
  out->set_backward(scan.backward);
  out->set_rows_max(scan.rows_max);
  out->set_bytes_max(scan.bytes_max);
}

ScanQuery Decode(const proto::Scan& in) {
  return {.range = Decode(in.range()),
          .backward = in.backward(),
          .rows_max = std::clamp<size_t>(in.rows_max(), 1, kScanRowsMax),
          .bytes_max = std::min<size_t>(in.bytes_max(), kScanBytesMax)};
}

void Encode(RowsFound found, Cells* cells, std::optional<KeyRange>* rest) {
  for (std::optional<storage::Cell>& cell : found.cells) {
    proto::Cell& one = *cells->Add();
    if (!cell) continue;
    one.set_value(std::move(cell->value));
    one.set_timestamp(cell->timestamp.nanoseconds());
  }
  for (storage::Row& row : found.scanned.rows) {
    proto::Cell& one = *cells->Add();
    one.set_key(std::move(row.key));
    one.set_value(std::move(row.value));
    one.set_timestamp(row.timestamp.nanoseconds());
  }
  *rest = std::move(found.scanned.rest);
}

}  // namespace txn::wire
