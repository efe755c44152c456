#include "paxos/errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace paxos {
namespace {

// The payloads that carry Retry and the leader's node.
constexpr char kRetry[] = "isochron.paxos/retry";
constexpr char kLeader[] = "isochron.paxos/leader";

absl::Status WithRetry(absl::Status status, Retry retry) {
  const char code = static_cast<char>(retry);
  status.SetPayload(kRetry, absl::Cord(absl::string_view(&code, 1)));
  return status;
}

std::string Named(storage::GroupId group) { return absl::StrCat("group ", group.value()); }

}  // namespace

Retry RetryOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetry);
  return payload ? static_cast<Retry>(std::string(*payload)[0]) : Retry::kNever;
}

std::optional<runtime::NodeId> LeaderOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kLeader);
  uint32_t node = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &node)) return std::nullopt;
  return runtime::NodeId(node);
}

absl::Status NotLeader(storage::GroupId group, std::optional<runtime::NodeId> leader) {
  absl::Status status = WithRetry(
      absl::FailedPreconditionError(absl::StrCat(
          Named(group), " is not led here",
          leader ? absl::StrCat("; ask node ", leader->value()) : ", and it is not known where")),
      Retry::kElsewhere);
  if (leader) {
    const std::string node = absl::StrCat(leader->value());
    status.SetPayload(kLeader, absl::Cord(absl::string_view(node)));
  }
  return status;
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
