// The parts that commands and records share, to and from their wire forms. For what is inside txn/.
//
// Decoding validates everything; what is wrong is DATA_LOSS.
#ifndef TXN_WIRE_H_
#define TXN_WIRE_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "txn/commands.h"
#include "txn/txn.pb.h"

namespace txn::wire {

namespace proto = ::isochron::txn;

using Groups = google::protobuf::RepeatedField<uint64_t>;
using Writes = google::protobuf::RepeatedPtrField<proto::Write>;
using Ranges = google::protobuf::RepeatedPtrField<proto::KeyRange>;

inline absl::Status Bad(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("bytes that are no record of a shard: ", what));
}

template <typename Proto>
absl::StatusOr<Proto> Parse(absl::string_view bytes) {
  Proto in;
  if (bytes.size() > (size_t{1} << 30) ||
      !in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Bad("not a message");
  }
  return in;
}

// Whether lists are as txn/commands.h says.
bool InOrder(const std::vector<Write>& writes);
bool InOrder(const std::vector<KeyRange>& locks);
bool InOrder(const std::vector<GroupId>& groups);

void Encode(const TransactionId& id, proto::TransactionId* out);
TransactionId Decode(const proto::TransactionId& in);
void Encode(const KeyRange& range, proto::KeyRange* out);
KeyRange Decode(const proto::KeyRange& in);
void Encode(const Outcome& outcome, proto::Outcome* out);
Outcome Decode(const proto::Outcome& in);
void Encode(const std::vector<GroupId>& groups, Groups* out);
absl::StatusOr<std::vector<GroupId>> Decode(const Groups& in);
void Encode(const std::vector<Write>& writes, Writes* out);
// Takes the bytes out of `in`.
absl::StatusOr<std::vector<Write>> Decode(Writes* in);
void Encode(const Prepare& prepare, proto::Prepare* out);
absl::StatusOr<Prepare> Decode(proto::Prepare* in);

}  // namespace txn::wire

#endif  // TXN_WIRE_H_
