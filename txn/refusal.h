// Refusal: why a shard did not do what it was asked, for whoever asks again elsewhere or gives up.
// Inside a node it travels in an absl::Status, between nodes in a reply (txn/service.proto).
//
//   if (const auto refusal = RefusalOf(status); refusal && refusal->kind == Refusal::Kind::kNotLeader) ...
#ifndef TXN_REFUSAL_H_
#define TXN_REFUSAL_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/strong_id.h"
#include "runtime/time.h"
#include "txn/commands.h"

namespace isochron::txn {
class Refusal;
}

namespace txn {

struct Refusal {
  // All but kUnknown mean that it was certainly not done.
  enum class Kind : uint8_t {
    kNotLeader,   // Ask `leader`, or any other member if it is 0.
    kNotNow,      // Ask the same again, soon.
    kOverloaded,  // Come back later, if at all.
    kWrongRange,  // The shard is `shard` now.
    kAborted,     // The transaction has lost its locks here, or never commits (TX-WHY).
    kNotSafeYet,  // This replica cannot answer yet: it is safe up to `safe_time`.
    kTooOld,      // Of a read: below what is kept. Of an outcome: it is not known any more.
    kInvalid,     // No gateway that keeps the rules asks this.
    kUnknown,     // It may have been done, or may still be.
  };
  Kind kind = Kind::kNotNow;
  std::string why = {};  // A sentence for the user.
  runtime::NodeId leader = {};
  ShardDescriptor shard = {};
  runtime::Timestamp safe_time = runtime::Timestamp::Min();
};

// By kind, in order: FAILED_PRECONDITION, UNAVAILABLE, RESOURCE_EXHAUSTED, FAILED_PRECONDITION,
// ABORTED, UNAVAILABLE, OUT_OF_RANGE, INVALID_ARGUMENT, UNKNOWN.
absl::Status ToStatus(const Refusal& refusal);
inline absl::Status Refuse(Refusal::Kind kind, absl::string_view why) {
  return ToStatus({.kind = kind, .why = std::string(why)});
}
// None for a status that was not made by ToStatus().
std::optional<Refusal> RefusalOf(const absl::Status& status);

// What any error that a shard's work ends with means to its asker: those of paxos/errors.h and
// txn/errors.h, a refusal as it is, INVALID_ARGUMENT as kInvalid, a cancellation or anything else as
// kNotNow.
Refusal Translate(const absl::Status& error);

// A reply that carries a refusal, and the other way.
void Encode(const Refusal& refusal, isochron::txn::Refusal* out);
Refusal Decode(const isochron::txn::Refusal& in);

}  // namespace txn

#endif  // TXN_REFUSAL_H_
