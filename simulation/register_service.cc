#include "simulation/register_service.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/deadline.h"
#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "simulation/register_machine.h"
#include "storage/store.h"

namespace simulation {
namespace {

using paxos::Retry;
using runtime::Timestamp;
using runtime::operator""ms;
using runtime::operator""s;

constexpr runtime::Duration kChangeTimeout = 4s;

absl::StatusOr<std::optional<storage::Version>> NewestIn(storage::View* view, std::string key) {
  return view->Newest(RowKey(view->group(), key));
}

absl::StatusOr<std::optional<storage::Cell>> CellIn(storage::View* view, std::string key,
                                                    Timestamp at) {
  return view->Get(RowKey(view->group(), key), at);
}

// A view of what the host's store has of `group`, or why there is none.
absl::StatusOr<std::shared_ptr<storage::View>> ViewOf(paxos::Host* host, storage::GroupId group) {
  if (host == nullptr || host->store() == nullptr) {
    return absl::UnavailableError("the store is not open");
  }
  ASSIGN_OR_RETURN(storage::View view, host->store()->NewView(group));
  return std::make_shared<storage::View>(std::move(view));
}

}  // namespace

RegisterService::RegisterService(runtime::World* world, truetime::TrueTime* truetime,
                                 const std::unique_ptr<paxos::Host>* host)
    : world_(*world), truetime_(*truetime), host_(*host) {
  registration_ = world_.network().Serve(
      kRegisterCall, &world_.loop(0),
      [this](runtime::NodeId caller, std::string text) { return Ask(caller, std::move(text)); });
}

runtime::Task<absl::StatusOr<std::string>> RegisterService::Ask(runtime::NodeId, std::string text) {
  CO_ASSIGN_OR_RETURN(RegisterRequest request, DecodeRequest(text));
  co_return EncodeReply(co_await Answer(std::move(request)));
}

runtime::Task<RegisterReply> RegisterService::Answer(RegisterRequest request) {
  if (host_ == nullptr) co_return Refusal(Retry::kElsewhere, "this node is not open yet");
  GroupPtr group = host_->FindGroup(request.group);
  if (group == nullptr) co_return Refusal(paxos::NoSuchGroup(request.group));
  switch (request.ask) {
    case RegisterAsk::kCommand:
      co_return co_await Command(std::move(group), std::move(request));
    case RegisterAsk::kRead:
      co_return co_await Read(std::move(group), std::move(request));
    case RegisterAsk::kReadAt:
      co_return co_await ReadAt(std::move(group), std::move(request));
    case RegisterAsk::kReadPinned:
      co_return co_await ReadPinned(std::move(group), std::move(request));
    case RegisterAsk::kMembers:
      co_return Members(*group);
    default:
      co_return co_await Change(std::move(group), std::move(request));
  }
}

runtime::Task<RegisterReply> RegisterService::Command(GroupPtr group, RegisterRequest request) {
  // TX-COMMIT-TS, as the floors above do it.
  const Timestamp at_least = truetime_.Now().latest + request.offset;
  if (const absl::Status safe = truetime_.CheckSafe(); !safe.ok()) {
    co_return Refusal(Retry::kHere, safe.message());
  }
  const absl::StatusOr<paxos::Proposed> proposed =
      co_await group->Propose(EncodeCommand(request.command), at_least);
  if (!proposed.ok()) co_return Refusal(proposed.status());
  const auto& machine = static_cast<RegisterMachine&>(group->state_machine());
  const std::optional<RegisterResult> result = machine.ResultOf(proposed->slot);
  if (!result.has_value()) co_return Refusal(Retry::kUnknown, "it was not applied here");
  RegisterReply reply;
  reply.slot = proposed->slot;
  reply.timestamp = proposed->timestamp;
  reply.result = *result;
  co_return reply;
}

runtime::Task<RegisterReply> RegisterService::Read(GroupPtr group, RegisterRequest request) {
  const absl::StatusOr<paxos::Ballot> ballot = co_await group->ReadBarrier();
  if (!ballot.ok()) co_return Refusal(ballot.status());
  const absl::StatusOr<std::shared_ptr<storage::View>> view = ViewOf(host_.get(), group->id());
  if (!view.ok()) co_return Refusal(Retry::kHere, view.status().message());
  const auto newest = co_await runtime::RunBlocking(
      &world_.blocking(), [view = *view, key = request.key] { return NewestIn(view.get(), key); });
  if (!newest.ok()) co_return Refusal(Retry::kHere, newest.status().message());
  if (world_.experiments().Buggify("simulation.slow_read")) {
    (co_await runtime::SleepFor(world_.random().Uniform(1ms, 500ms))).IgnoreError();
  }
  // PX-STALL: after the last wait, just before the answer leaves.
  if (const absl::Status leads = group->CheckLease(*ballot); !leads.ok()) co_return Refusal(leads);
  RegisterReply reply;
  reply.timestamp = newest->has_value() ? (*newest)->timestamp : Timestamp::Min();
  if (newest->has_value()) reply.result.found = (*newest)->value;
  co_return reply;
}

runtime::Task<RegisterReply> RegisterService::ReadAt(GroupPtr group, RegisterRequest request) {
  const Timestamp safe = group->PaxosSafeTime();
  Timestamp at = safe;
  if (request.offset.count() > 0) at = truetime_.Now().latest - request.offset;
  if (at > safe || at == Timestamp::Min()) co_return Refusal(Retry::kHere, "that is not safe yet");
  co_return co_await ReadVersion(std::move(group), std::move(request.key), at);
}

runtime::Task<RegisterReply> RegisterService::ReadPinned(GroupPtr group, RegisterRequest request) {
  const absl::StatusOr<paxos::Ballot> ballot = co_await group->ReadBarrier();
  if (!ballot.ok()) co_return Refusal(ballot.status());
  const Timestamp at = truetime_.Now().latest;
  if (const absl::Status pinned = group->Pin(at); !pinned.ok()) co_return Refusal(pinned);
  // What was proposed before may still be on its way.
  while (group->PaxosSafeTime() < at) {
    if (!(co_await runtime::SleepFor(5ms)).ok()) co_return Refusal(Retry::kHere, "not in time");
  }
  co_return co_await ReadVersion(std::move(group), std::move(request.key), at);
}

runtime::Task<RegisterReply> RegisterService::ReadVersion(GroupPtr group, std::string key,
                                                          Timestamp at) {
  const absl::StatusOr<std::shared_ptr<storage::View>> view = ViewOf(host_.get(), group->id());
  if (!view.ok()) co_return Refusal(Retry::kHere, view.status().message());
  const auto cell = co_await runtime::RunBlocking(
      &world_.blocking(), [view = *view, key, at] { return CellIn(view.get(), key, at); });
  if (!cell.ok()) co_return Refusal(Retry::kHere, cell.status().message());
  RegisterReply reply;
  reply.timestamp = at;
  if (cell->has_value()) reply.result.found = (*cell)->value;
  co_return reply;
}

RegisterReply RegisterService::Members(const paxos::Group& group) {
  RegisterReply reply;
  for (const paxos::Member& member : group.replica().configuration().members()) {
    absl::StrAppend(&reply.text, reply.text.empty() ? "" : " ", member.replica.value(), ":",
                    member.node.value(), member.voter ? ":v" : ":l");
  }
  reply.leader = group.leader_node().value_or(runtime::NodeId());
  return reply;
}

runtime::Task<RegisterReply> RegisterService::Change(GroupPtr group, RegisterRequest request) {
  const paxos::ReplicaId replica(request.id);
  absl::Status done;
  switch (request.ask) {
    case RegisterAsk::kAddLearner: {
      const absl::StatusOr<paxos::ReplicaId> added = co_await runtime::WithTimeout(
          kChangeTimeout, group->AddLearner(runtime::NodeId(request.id)));
      done = added.status();
      break;
    }
    case RegisterAsk::kPromote:
      done = co_await runtime::WithTimeout(kChangeTimeout, group->Promote(replica));
      break;
    case RegisterAsk::kRemove:
      done = co_await runtime::WithTimeout(kChangeTimeout, group->Remove(replica));
      break;
    case RegisterAsk::kAbdicate:
      done = co_await runtime::WithTimeout(kChangeTimeout, group->Abdicate(replica));
      break;
    default:
      done = absl::InvalidArgumentError("nobody knows that");
  }
  if (!done.ok()) co_return Refusal(done);
  co_return Members(*group);
}

}  // namespace simulation
