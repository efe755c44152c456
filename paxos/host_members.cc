// How replicas come to a node and leave it, and what members of a group ask of this one.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/calls.h"
#include "paxos/errors.h"
#include "paxos/host_core.h"
#include "paxos/records.h"
#include "runtime/check.h"
#include "runtime/log.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"

namespace paxos {
namespace {

using runtime::NodeId;
using runtime::Task;
using storage::GroupId;

// Groups that somebody wrote about without this node belonging to them: past it, all are forgotten.
constexpr size_t kJoinsKept = 4096;
// Between two attempts to remove a group from a store that takes nothing.
constexpr Duration kPause = std::chrono::milliseconds(200);

}  // namespace

// --- At the beginning of a group ---

Task<absl::StatusOr<std::shared_ptr<Group>>> Host::Core::CreateGroup(GroupId id,
                                                                     Configuration configuration) {
  CO_RETURN_IF_ERROR(configuration.Validate());
  const Member* const self = configuration.FindNode(world_.node());
  if (self == nullptr || !self->voter) {
    co_return absl::InvalidArgumentError("a group is created at its voters");
  }
  if (groups_.contains(id) || !leaving_.insert(id).second) {
    co_return absl::AlreadyExistsError(absl::StrCat("group ", id.value(), " is here already"));
  }
  Group::Start start;
  start.group = id;
  start.recovered.hard_state.self = self->replica;
  start.recovered.hard_state.configuration = configuration;
  start.applied.configuration = configuration;
  start.founding = std::make_shared<const Configuration>(configuration);
  storage::LogWrite write{.group = id, .erase = true};
  write.meta = EncodeGroupMeta(start.recovered.hard_state, start.founding.get());
  const absl::Status written = co_await log_->Write(std::move(write));
  leaving_.erase(id);
  if (!written.ok()) co_return DiskTrouble(written);
  const std::shared_ptr<Group> group = AddGroup(std::move(start));
  group->Begin();
  co_return group;
}

// --- Joining ---

void Host::Core::MaybeJoin(NodeId sender, GroupId group, ReplicaId replica) {
  if (leaving_.contains(group) || joining_ >= options_.joins_max || closed_) return;
  if (joins_.size() >= kJoinsKept) {
    std::erase_if(joins_, [](const auto& join) { return join.second.has_value(); });
  }
  const auto [join, first] = joins_.try_emplace(group);
  if (!first && (!join->second || executor_.Now() < *join->second)) return;
  join->second.reset();
  ++joining_;
  scope_.Spawn(RunJoin(sender, group, replica));
}

Task<void> Host::Core::RunJoin(NodeId sender, GroupId group, ReplicaId replica) {
  const absl::Status joined = co_await Join(sender, group, replica);
  --joining_;
  if (joined.ok()) {
    joins_.erase(group);
  } else {
    joins_[group] = executor_.Now() + options_.join_pause;
    world_.log().Write(runtime::Severity::kDebug, "paxos.not_joined",
                       {{"group", group.value()}, {"why", joined.message()}});
  }
}

Task<absl::Status> Host::Core::Join(NodeId sender, GroupId id, ReplicaId replica) {
  wire::JoinRequest request;
  request.set_group(id.value());
  request.set_replica(replica.value());
  CO_ASSIGN_OR_RETURN(
      const wire::JoinReply reply,
      co_await runtime::Call(&world_.network(), kJoin, sender, request, options_.call_timeout));
  Group::Start start;
  start.group = id;
  start.recovered.installed = false;
  HardState& state = start.recovered.hard_state;
  state.self = replica;
  CO_ASSIGN_OR_RETURN(state.configuration, DecodeConfiguration(reply.configuration()));
  CO_ASSIGN_OR_RETURN(state.configuration_slot, DecodeSlot(reply.configuration_slot()));
  CO_ASSIGN_OR_RETURN(const Ballot ballot, DecodeBallot(reply.ballot()));
  const Member* const self = state.configuration.Find(replica);
  if (self == nullptr || self->node != world_.node() || self->voter) {
    co_return absl::DataLossError("the leader's answer does not name this replica as a learner");
  }
  // PX-DURABLE: this replica may have lived on a disk that is gone, and given its vote then, to
  // this leader or one before it. Until such a vote has run out nobody else gets it.
  const Moment moment = Now();
  if (!moment.time_safe) co_return absl::UnavailableError("the clock is not time-safe");
  state.promised = ballot;
  state.vote = {.holder = ballot.replica,
                .ballot = ballot,
                .held_until = moment.now.latest + options_.replica.lease,
                .expiry = moment.now.latest + options_.replica.lease};
  if (groups_.contains(id) || !leaving_.insert(id).second) {
    co_return absl::AlreadyExistsError("it is here already");
  }
  storage::LogWrite write{.group = id, .erase = true};
  write.meta = EncodeGroupMeta(state, nullptr);
  const absl::Status written = co_await log_->Write(std::move(write));
  leaving_.erase(id);
  CO_RETURN_IF_ERROR(written);
  world_.log().Write(runtime::Severity::kInfo, "paxos.joined",
                     {{"group", id.value()}, {"replica", replica.value()}});
  AddGroup(std::move(start))->Begin();
  co_return absl::OkStatus();
}

Task<absl::StatusOr<wire::JoinReply>> Host::Core::ServeJoin(NodeId caller,
                                                            wire::JoinRequest request) {
  const GroupId id(request.group());
  const std::shared_ptr<Group> group = FindGroup(id);
  if (group == nullptr) co_return NoSuchGroup(id);
  const Replica& replica = group->replica();
  if (!replica.leads(Now())) co_return NotLeader(id, group->leader_node());
  const Member* const member = replica.configuration().Find(ReplicaId(request.replica()));
  if (member == nullptr || member->node != caller || member->voter) {
    co_return absl::PermissionDeniedError(
        absl::StrCat("replica ", request.replica(), " is no learner on node ", caller.value()));
  }
  wire::JoinReply reply;
  EncodeConfiguration(replica.configuration(), reply.mutable_configuration());
  reply.set_configuration_slot(replica.hard_state().configuration_slot.value());
  EncodeBallot(*replica.leading_ballot(), reply.mutable_ballot());
  co_return reply;
}

// --- Leaving ---

void Host::Core::Erase(GroupId group) {
  if (!closed_ && leaving_.insert(group).second) scope_.Spawn(EraseGroup(group));
}

Task<void> Host::Core::EraseGroup(GroupId id) {
  const std::shared_ptr<Group> group = FindGroup(id);
  world_.log().Write(runtime::Severity::kInfo, "paxos.removed",
                     {{"group", id.value()}, {"replica", group->replica().self().value()}});
  co_await group->End();
  ClearAlarm(group.get());
  // What it still had under way stands before the erasure in the log.
  while (!(co_await saves_->Drain()).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  while (!(co_await log_->Write(storage::LogWrite{.group = id, .erase = true})).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  groups_.erase(id);
  instruments_.groups.Set(static_cast<double>(groups_.size()));
  co_await RemoveStoredInBackground(id);
}

Task<void> Host::Core::RemoveStoredInBackground(GroupId group) {
  while (!(co_await RemoveStored(group)).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  leaving_.erase(group);
}

Task<absl::Status> Host::Core::RemoveStored(GroupId group) {
  if (!store_usable_) co_return absl::UnavailableError("the store is being replaced");
  storage::Store* const store = store_.get();
  CO_ASSIGN_OR_RETURN(const std::vector<storage::StoredGroup> stored, co_await store->Groups());
  for (const storage::StoredGroup& one : stored) {
    if (one.group != group) continue;
    storage::KeyRange range;
    if (one.install) {
      range = one.install->range;
    } else if (!one.applied.empty()) {
      CO_ASSIGN_OR_RETURN(const AppliedState state, DecodeAppliedState(one.applied));
      range = state.range;
    }
    std::optional<std::string> resume = "";
    while (resume) {
      CO_ASSIGN_OR_RETURN(storage::WorkStep step,
                          co_await store->RemoveGroup(group, range, *resume));
      resume = std::move(step.resume);
    }
  }
  co_return absl::OkStatus();
}

// --- What others ask ---

Task<absl::StatusOr<wire::FetchChosenReply>> Host::Core::ServeFetchChosen(
    NodeId caller, wire::FetchChosenRequest request) {
  const GroupId id(request.group());
  const std::shared_ptr<Group> group = FindGroup(id);
  if (group == nullptr || !group->installed()) co_return NoSuchGroup(id);
  shelf_.Used(id, caller);
  CO_ASSIGN_OR_RETURN(const Slot from, DecodeSlot(request.from()));
  wire::FetchChosenReply reply;
  const Slot applied = group->applied();
  reply.set_applied(applied.value());
  if (from < group->truncated_before()) {
    reply.set_needs_snapshot(true);
    co_return reply;
  }
  if (from > applied) co_return reply;
  const size_t bytes_max = std::min<size_t>(request.bytes_max(), options_.fetch_bytes_max);
  CO_ASSIGN_OR_RETURN(std::vector<storage::LogEntry> entries,
                      co_await log_->Read(id, from, Next(applied), bytes_max));
  Slot next = from;
  for (storage::LogEntry& entry : entries) {
    if (entry.slot != next) break;
    reply.add_entries(std::move(entry.bytes));
    next = Next(next);
  }
  // It was cut in this moment, or was lost.
  if (next == from) reply.set_needs_snapshot(true);
  co_return reply;
}

Task<absl::StatusOr<wire::FetchSnapshotReply>> Host::Core::ServeFetchSnapshot(
    NodeId caller, wire::FetchSnapshotRequest request) {
  const GroupId id(request.group());
  const std::shared_ptr<Group> group = FindGroup(id);
  if (group == nullptr || !group->installed()) co_return NoSuchGroup(id);
  co_return co_await shelf_.Serve(caller, std::move(request));
}

}  // namespace paxos
