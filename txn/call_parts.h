// The parts that calls (txn/service.proto) share, to and from their wire forms. For what is inside
// txn/.
#ifndef TXN_CALL_PARTS_H_
#define TXN_CALL_PARTS_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "paxos/kernel/ballot.h"
#include "txn/kernel/lock.h"
#include "txn/kernel/transaction_id.h"
#include "txn/read_rows.h"
#include "txn/service.pb.h"
#include "txn/wire.h"

namespace txn::wire {

using Locks = google::protobuf::RepeatedPtrField<proto::Lock>;
using Cells = google::protobuf::RepeatedPtrField<proto::Cell>;

void Encode(const Age& age, proto::Age* out);
Age Decode(const proto::Age& in);
void Encode(paxos::Ballot ballot, proto::Ballot* out);
paxos::Ballot Decode(const proto::Ballot& in);
void Encode(const std::vector<Lock>& locks, Locks* out);
// INVALID_ARGUMENT: a range without keys.
absl::StatusOr<std::vector<Lock>> Decode(const Locks& in);
void Encode(const ScanQuery& scan, proto::Scan* out);
ScanQuery Decode(const proto::Scan& in);

// Of one scan, whatever is asked for.
inline constexpr size_t kScanRowsMax = 100'000;
inline constexpr size_t kScanBytesMax = 8 << 20;

// What a request asks to read: its `get` and `scan`. INVALID_ARGUMENT: a range without keys.
template <typename Request>
absl::StatusOr<RowsWanted> TakeWanted(Request* request) {
  RowsWanted wanted;
  wanted.get.reserve(static_cast<size_t>(request->get_size()));
  for (std::string& key : *request->mutable_get()) wanted.get.push_back(std::move(key));
  if (!request->has_scan()) return wanted;
  wanted.scan = Decode(request->scan());
  if (wanted.scan->range.empty()) return absl::InvalidArgumentError("a scan of no keys");
  return wanted;
}

// What was found, into a reply's `cells` and `rest`.
void Encode(RowsFound found, Cells* cells, std::optional<KeyRange>* rest);
template <typename Reply>
void SetFound(RowsFound found, Reply* reply) {
  std::optional<KeyRange> rest;
  Encode(std::move(found), reply->mutable_cells(), &rest);
  if (rest) Encode(*rest, reply->mutable_rest());
}

}  // namespace txn::wire

#endif  // TXN_CALL_PARTS_H_
