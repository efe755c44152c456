#include "paxos/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace paxos {
namespace {

// The one payload: a byte of Retry, then the leader's node if it is known. One, since Abseil prints
// several in an order that depends on where they lie in memory.
constexpr char kAdvice[] = "isochron.paxos/advice";

absl::Status WithRetry(absl::Status status, Retry retry,
                       std::optional<runtime::NodeId> leader = std::nullopt) {
  std::string advice(1, static_cast<char>(retry));
  if (leader) absl::StrAppend(&advice, leader->value());
  status.SetPayload(kAdvice, absl::Cord(advice));
  return status;
}

std::string Named(storage::GroupId group) { return absl::StrCat("group ", group.value()); }

}  // namespace

Retry RetryOf(const absl::Status& status) {
  const auto advice = status.GetPayload(kAdvice);
  return advice ? static_cast<Retry>(std::string(*advice)[0]) : Retry::kNever;
}

std::optional<runtime::NodeId> LeaderOf(const absl::Status& status) {
  const auto advice = status.GetPayload(kAdvice);
  uint32_t node = 0;
  if (!advice || !absl::SimpleAtoi(std::string(*advice).substr(1), &node)) return std::nullopt;
  return runtime::NodeId(node);
}

absl::Status NotLeader(storage::GroupId group, std::optional<runtime::NodeId> leader) {
  return WithRetry(
      absl::FailedPreconditionError(absl::StrCat(
          Named(group), " is not led here",
          leader ? absl::StrCat("; ask node ", leader->value()) : ", and it is not known where")),
      Retry::kElsewhere, leader);
}

absl::Status NoSuchGroup(storage::GroupId group) {
  return WithRetry(
      absl::FailedPreconditionError(absl::StrCat(Named(group), " has no replica here")),
      Retry::kElsewhere);
}

absl::Status Overloaded(storage::GroupId group) {
  return WithRetry(absl::ResourceExhaustedError(
                       absl::StrCat(Named(group), " has as many open proposals as may be")),
                   Retry::kHere);
}

absl::Status NotNow(storage::GroupId group, absl::string_view why) {
  return WithRetry(absl::UnavailableError(absl::StrCat(Named(group), ": ", why)), Retry::kHere);
}

absl::Status DiskTrouble(const absl::Status& why) {
  return WithRetry(why, absl::IsDataLoss(why) ? Retry::kElsewhere : Retry::kHere);
}

absl::Status OutcomeUnknown(storage::GroupId group, Slot slot, absl::string_view why) {
  return WithRetry(absl::UnknownError(absl::StrCat(Named(group), ": what was proposed in slot ",
                                                   slot.value(), " may be chosen or not: ", why)),
                   Retry::kUnknown);
}

absl::Status BadChange(storage::GroupId group, absl::string_view why) {
  return WithRetry(absl::InvalidArgumentError(absl::StrCat(Named(group), ": ", why)),
                   Retry::kNever);
}

}  // namespace paxos
