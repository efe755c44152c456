#include "txn/refusal.h"

#include <utility>

#include "absl/strings/cord.h"
#include "paxos/errors.h"
#include "txn/service.pb.h"
#include "txn/wire.h"

namespace txn {
namespace {

using Kind = Refusal::Kind;
using WireKind = isochron::txn::Refusal;

constexpr char kPayload[] = "isochron.txn.Refusal";

struct KindForms {
  Kind kind;
  isochron::txn::Refusal::Kind wire;
  absl::StatusCode code;
};

constexpr KindForms kForms[] = {
    {Kind::kNotLeader, WireKind::NOT_LEADER, absl::StatusCode::kFailedPrecondition},
    {Kind::kNotNow, WireKind::NOT_NOW, absl::StatusCode::kUnavailable},
    {Kind::kOverloaded, WireKind::OVERLOADED, absl::StatusCode::kResourceExhausted},
    {Kind::kWrongRange, WireKind::WRONG_RANGE, absl::StatusCode::kFailedPrecondition},
    {Kind::kAborted, WireKind::ABORTED, absl::StatusCode::kAborted},
    {Kind::kNotSafeYet, WireKind::NOT_SAFE_YET, absl::StatusCode::kUnavailable},
    {Kind::kTooOld, WireKind::TOO_OLD, absl::StatusCode::kOutOfRange},
    {Kind::kInvalid, WireKind::INVALID, absl::StatusCode::kInvalidArgument},
    {Kind::kUnknown, WireKind::UNKNOWN, absl::StatusCode::kUnknown},
};

const KindForms& FormsOf(Kind kind) { return kForms[static_cast<size_t>(kind)]; }

// One that a newer version gives may mean anything.
Kind KindOf(isochron::txn::Refusal::Kind wire) {
  for (const KindForms& forms : kForms) {
    if (forms.wire == wire) return forms.kind;
  }
  return Kind::kUnknown;
}

Refusal FromPaxos(const absl::Status& error, paxos::Retry retry) {
  Refusal refusal{.kind = Kind::kNotNow, .why = std::string(error.message())};
  switch (retry) {
    case paxos::Retry::kHere:
      if (absl::IsResourceExhausted(error)) refusal.kind = Kind::kOverloaded;
      break;
    case paxos::Retry::kElsewhere:
      refusal.kind = Kind::kNotLeader;
      refusal.leader = paxos::LeaderOf(error).value_or(runtime::NodeId());
      break;
    case paxos::Retry::kUnknown:
      refusal.kind = Kind::kUnknown;
      break;
    case paxos::Retry::kNever:
      break;
  }
  return refusal;
}

}  // namespace

absl::Status ToStatus(const Refusal& refusal) {
  absl::Status status(FormsOf(refusal.kind).code, refusal.why);
  isochron::txn::Refusal payload;
  Encode(refusal, &payload);
  payload.clear_why();
  const std::string bytes = payload.SerializeAsString();
  status.SetPayload(kPayload, absl::Cord(absl::string_view(bytes)));
  return status;
}

std::optional<Refusal> RefusalOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  isochron::txn::Refusal wire;
  if (!payload || !wire.ParseFromString(std::string(*payload))) return std::nullopt;
  Refusal refusal = Decode(wire);
  refusal.why = std::string(status.message());
  return refusal;
}

Refusal Translate(const absl::Status& error) {
  if (std::optional<Refusal> refusal = RefusalOf(error)) return *std::move(refusal);
  if (const paxos::Retry retry = paxos::RetryOf(error); retry != paxos::Retry::kNever) {
    return FromPaxos(error, retry);
  }
  Refusal refusal{.kind = Kind::kNotNow, .why = std::string(error.message())};
  // Below the horizon of a view.
  if (absl::IsOutOfRange(error)) refusal.kind = Kind::kTooOld;
  // Of what stands in a request.
  if (absl::IsInvalidArgument(error)) refusal.kind = Kind::kInvalid;
  return refusal;
}

void Encode(const Refusal& refusal, isochron::txn::Refusal* out) {
  out->set_kind(FormsOf(refusal.kind).wire);
  out->set_why(refusal.why.substr(0, kWhyBytesMax));
  out->set_leader(refusal.leader.value());
  if (refusal.shard.generation != 0) {
    wire::Encode(refusal.shard.range, out->mutable_range());
    out->set_generation(refusal.shard.generation);
  }
  if (refusal.safe_time != runtime::Timestamp::Min()) {
    out->set_safe_time(refusal.safe_time.nanoseconds());
  }
}

Refusal Decode(const isochron::txn::Refusal& in) {
  Refusal refusal{
      .kind = KindOf(in.kind()), .why = in.why(), .leader = runtime::NodeId(in.leader())};
  if (in.generation() != 0) {
    refusal.shard = {.range = wire::Decode(in.range()), .generation = in.generation()};
  }
  if (in.safe_time() != 0) refusal.safe_time = runtime::Timestamp(in.safe_time());
  return refusal;
}

}  // namespace txn
