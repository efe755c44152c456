#include "txn/session_errors.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/refusal.h"

namespace txn {
namespace {

using Kind = Refusal::Kind;

absl::StatusCode CodeOf(Kind kind) {
  switch (kind) {
    case Kind::kNotLeader:
    case Kind::kNotNow:
    case Kind::kNotSafeYet:
    case Kind::kWrongRange:
      return absl::StatusCode::kUnavailable;
    case Kind::kOverloaded:
      return absl::StatusCode::kResourceExhausted;
    case Kind::kAborted:
      return absl::StatusCode::kAborted;
    case Kind::kTooOld:
      return absl::StatusCode::kOutOfRange;
    case Kind::kInvalid:
      return absl::StatusCode::kInternal;
    case Kind::kUnknown:
      break;
  }
  return absl::StatusCode::kUnknown;
}

}  // namespace

absl::Status TransactionError(const absl::Status& error) {
  const std::optional<Refusal> refusal = RefusalOf(error);
  if (!refusal) return error;
  // Its next attempt is new, and knows where the keys are.
  const bool again = refusal->kind == Kind::kTooOld || refusal->kind == Kind::kWrongRange;
  return {again ? absl::StatusCode::kAborted : CodeOf(refusal->kind), refusal->why};
}

absl::Status ReadError(const absl::Status& error) {
  const std::optional<Refusal> refusal = RefusalOf(error);
  return refusal ? absl::Status(CodeOf(refusal->kind), refusal->why) : error;
}

absl::Status NoShard(const KeyRange& keys) {
  return Refuse(Kind::kNotNow, absl::StrCat("nobody knows which shard has ", PrintKeys(keys)));
}

bool IsWrongRange(const absl::Status& error) {
  const std::optional<Refusal> refusal = RefusalOf(error);
  return refusal && refusal->kind == Kind::kWrongRange;
}

}  // namespace txn
