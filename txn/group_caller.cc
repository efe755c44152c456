#include "txn/group_caller.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/sleep.h"

namespace txn {

using runtime::Duration;
using runtime::NodeId;
using runtime::Task;
using storage::GroupId;

namespace {

std::string Name(GroupId group) { return absl::StrCat("group ", group.value()); }

// Whether asking the same again, here or elsewhere, may help.
bool MayBeRepeated(Refusal::Kind kind) {
  return kind == Refusal::Kind::kNotLeader || kind == Refusal::Kind::kNotNow ||
         kind == Refusal::Kind::kNotSafeYet;
}

}  // namespace

std::optional<NodeId> GroupCaller::LeaderOf(GroupId group) const {
  if (const auto found = leaders_.find(group); found != leaders_.end()) return found->second;
  const std::optional<ShardLocation> location = map_.FindGroup(group);
  if (!location || location->nodes.empty()) return std::nullopt;
  return location->nodes.front();
}

Task<GroupCaller::Next> GroupCaller::Judge(GroupId group, NodeId asked, absl::Status error,
                                           MonotonicTime deadline, Repeat repeat, Tries* tries) {
  const std::optional<Refusal> refusal = RefusalOf(error);
  if (refusal && !MayBeRepeated(refusal->kind)) co_return Next{.end = std::move(error)};
  if (!refusal && repeat == Repeat::kOnce) {
    co_return Next{.end = Refuse(Refusal::Kind::kUnknown, error.message())};
  }
  // Whoever gave up the call says nothing about the node.
  const runtime::CancelScope* const cancel = co_await runtime::CurrentCancelScope();
  if (cancel != nullptr && cancel->cancelled()) co_return Next{.end = cancel->reason()};
  tries->last = error;
  const bool redirected = refusal && refusal->leader != NodeId() && refusal->leader != asked;
  if (redirected) {
    Follow(group, refusal->leader);
  } else if (!refusal || refusal->kind == Refusal::Kind::kNotLeader) {
    PassBy(group, asked);
  }
  // The first redirection is followed at once.
  if (redirected && tries->failures++ == 0) co_return Next{.again = true};
  const Duration pause = world_.random().Uniform(tries->backoff / 2, tries->backoff);
  tries->backoff = std::min(2 * tries->backoff, options_.backoff_max);
  const MonotonicTime now = runtime::Executor::Current().Now();
  absl::Status slept = co_await runtime::SleepUntil(std::min(now + pause, deadline));
  if (!slept.ok()) co_return Next{.end = std::move(slept)};
  co_return Next{.again = true};
}

void GroupCaller::PassBy(GroupId group, NodeId node) {
  const std::optional<ShardLocation> location = map_.FindGroup(group);
  if (!location || location->nodes.empty()) {
    leaders_.erase(group);
    return;
  }
  const auto here = std::find(location->nodes.begin(), location->nodes.end(), node);
  const bool wraps = here == location->nodes.end() || std::next(here) == location->nodes.end();
  Follow(group, wraps ? location->nodes.front() : *std::next(here));
}

absl::Status GroupCaller::Late(GroupId group, const Tries& tries) {
  return Refuse(Refusal::Kind::kNotNow,
                tries.last.ok()
                    ? absl::StrCat(Name(group), " could not be asked in time")
                    : absl::StrCat(Name(group),
                                   " did not answer in time: ", std::string(tries.last.message())));
}

absl::Status GroupCaller::UnknownGroup(GroupId group) {
  return Refuse(Refusal::Kind::kNotNow, absl::StrCat("nobody knows where ", Name(group), " is"));
}

}  // namespace txn
