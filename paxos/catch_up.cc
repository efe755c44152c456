#include "paxos/catch_up.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "paxos/calls.h"
#include "paxos/group.h"
#include "paxos/records.h"
#include "runtime/deadline.h"
#include "runtime/log.h"
#include "runtime/network.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/log_store.h"
#include "storage/range_snapshot.h"
#include "storage/store.h"

namespace paxos {
namespace {

using runtime::NodeId;
using runtime::Task;
namespace wire = ::isochron::paxos;

// --- From the log ---

absl::StatusOr<std::vector<AcceptedEntry>> Decode(Slot from, const wire::FetchChosenReply& reply) {
  std::vector<AcceptedEntry> entries;
  for (const std::string& bytes : reply.entries()) {
    ASSIGN_OR_RETURN(AcceptedEntry entry, DecodeLogEntry(from, bytes));
    entries.push_back(std::move(entry));
    from = Next(from);
  }
  return entries;
}

// All that `node` has to give. OUT_OF_RANGE: a snapshot is needed.
Task<absl::Status> LearnFrom(Group* group, NodeId node) {
  GroupHome& home = group->home();
  bool learned = false;
  while (true) {
    while (!group->HasRoom()) {
      CO_RETURN_IF_ERROR(co_await group->WaitForChange(MonotonicTime::Max()));
      // Nothing is applied any more that would make room.
      if (!group->installed()) co_return absl::OutOfRangeError("the state was lost");
    }
    const Slot from = Next(group->replica().chosen_through());
    wire::FetchChosenRequest request;
    request.set_group(group->id().value());
    request.set_from(from.value());
    request.set_bytes_max(home.options().fetch_bytes_max);
    CO_ASSIGN_OR_RETURN(const wire::FetchChosenReply reply,
                        co_await runtime::Call(&home.world().network(), kFetchChosen, node,
                                               std::move(request), home.options().call_timeout));
    if (reply.needs_snapshot()) co_return absl::OutOfRangeError("a snapshot is needed");
    CO_ASSIGN_OR_RETURN(std::vector<AcceptedEntry> entries, Decode(from, reply));
    if (!entries.empty()) group->Learn(std::move(entries));
    const Slot known = group->replica().chosen_through();
    learned = learned || known >= from;
    if (known.value() >= reply.applied()) {
      co_return learned ? absl::OkStatus() : absl::NotFoundError("nothing new there");
    }
    if (known < from) co_return absl::DataLossError("what came does not follow what is here");
  }
}

// --- By a snapshot ---

Task<absl::StatusOr<wire::FetchSnapshotReply>> FetchChunk(Group* group, NodeId node,
                                                          uint64_t snapshot, std::string token) {
  GroupHome& home = group->home();
  wire::FetchSnapshotRequest request;
  request.set_group(group->id().value());
  request.set_snapshot(snapshot);
  request.set_resume_token(std::move(token));
  request.set_not_before(group->replica().applied().value());
  co_return co_await runtime::Call(&home.world().network(), kFetchSnapshot, node,
                                   std::move(request), home.options().chunk_timeout());
}

// A connection that breaks does not end a snapshot: the chunk is asked for again.
Task<absl::StatusOr<wire::FetchSnapshotReply>> FetchChunkAgain(Group* group, NodeId node,
                                                               uint64_t snapshot,
                                                               std::string token) {
  const HostOptions& options = group->home().options();
  const MonotonicTime end = runtime::Executor::Current().Now() + options.snapshot_idle_max;
  while (true) {
    absl::StatusOr<wire::FetchSnapshotReply> reply =
        co_await FetchChunk(group, node, snapshot, token);
    const bool again =
        absl::IsUnavailable(reply.status()) || absl::IsDeadlineExceeded(reply.status());
    if (!again || runtime::Executor::Current().Now() >= end) co_return reply;
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(options.catch_up_pause));
  }
}

// A new one, or the one that was begun before something went wrong here.
Task<absl::StatusOr<wire::FetchSnapshotReply>> FetchFirst(Group* group, NodeId node) {
  if (group->begun_snapshot() != 0) {
    absl::StatusOr<wire::FetchSnapshotReply> reply =
        co_await FetchChunk(group, node, group->begun_snapshot(), "");
    if (reply.ok()) co_return reply;
  }
  co_return co_await FetchChunk(group, node, 0, "");
}

// Its place there is free at once; otherwise it would be dropped in time.
Task<void> ReleaseSnapshot(Group* group, NodeId node, uint64_t snapshot) {
  GroupHome& home = group->home();
  wire::FetchSnapshotRequest request;
  request.set_group(group->id().value());
  request.set_snapshot(snapshot);
  request.set_done(true);
  (void)co_await runtime::Call(&home.world().network(), kFetchSnapshot, node, std::move(request),
                               home.options().call_timeout);
}

// What an install that was begun with another range left.
Task<absl::Status> RemoveRemains(Group* group) {
  storage::Store* const store = group->home().store();
  if (store == nullptr) co_return absl::UnavailableError("the store is being replaced");
  CO_ASSIGN_OR_RETURN(const std::vector<storage::StoredGroup> stored, co_await store->Groups());
  for (const storage::StoredGroup& one : stored) {
    if (one.group != group->id() || !one.install) continue;
    std::optional<std::string> resume = "";
    while (resume) {
      CO_ASSIGN_OR_RETURN(const storage::WorkStep step,
                          co_await store->RemoveGroup(one.group, one.install->range, *resume));
      resume = step.resume;
    }
  }
  co_return absl::OkStatus();
}

Task<absl::StatusOr<std::unique_ptr<storage::SnapshotInstaller>>> Begin(Group* group,
                                                                        storage::KeyRange range,
                                                                        uint64_t snapshot) {
  for (int attempt = 0;; ++attempt) {
    storage::Store* const store = group->home().store();
    if (store == nullptr) co_return absl::UnavailableError("the store is being replaced");
    absl::StatusOr<std::unique_ptr<storage::SnapshotInstaller>> installer =
        co_await storage::SnapshotInstaller::Begin(store, group->id(), range, snapshot);
    if (!absl::IsFailedPrecondition(installer.status()) || attempt > 0) co_return installer;
    CO_RETURN_IF_ERROR(co_await RemoveRemains(group));
  }
}

// The snapshot that was installed; it is to be released.
Task<absl::StatusOr<uint64_t>> InstallFrom(Group* group, NodeId node) {
  GroupHome& home = group->home();
  CO_ASSIGN_OR_RETURN(const Permits::Permit permit, co_await home.installs().Take());
  CO_ASSIGN_OR_RETURN(wire::FetchSnapshotReply reply, co_await FetchFirst(group, node));
  CO_ASSIGN_OR_RETURN(const AppliedState state, DecodeAppliedState(reply.applied()));
  if (state.slot < group->replica().applied()) {
    // Nobody comes back for it; the next attempt makes another.
    co_await ReleaseSnapshot(group, node, reply.snapshot());
    co_return absl::FailedPreconditionError("the snapshot is older than what is here");
  }
  CO_RETURN_IF_ERROR(co_await group->BeginInstall(reply.snapshot()));
  CO_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SnapshotInstaller> installer,
                      co_await Begin(group, state.range, reply.snapshot()));
  // What was accepted here up to that slot is perhaps not what was chosen, and nobody may learn it
  // from this log. The cut is durable before the group counts as installed again.
  CO_RETURN_IF_ERROR(co_await home.log().Write(
      storage::LogWrite{.group = group->id(), .truncate_before = Next(state.slot)}));
  group->WasCut(Next(state.slot));
  // A crash may have left some of it here.
  if (!installer->resume_token().empty()) reply.clear_chunk();
  while (!installer->done()) {
    if (reply.chunk().empty()) {
      CO_ASSIGN_OR_RETURN(reply, co_await FetchChunkAgain(group, node, reply.snapshot(),
                                                          installer->resume_token()));
    }
    CO_RETURN_IF_ERROR(co_await installer->Add(std::move(*reply.mutable_chunk())));
    reply.clear_chunk();
  }
  CO_ASSIGN_OR_RETURN(const AppliedState installed, DecodeAppliedState(installer->applied()));
  if (installed.slot != state.slot) {
    co_await ReleaseSnapshot(group, node, reply.snapshot());
    co_return absl::DataLossError("the snapshot is not of the slot that it was said to be");
  }
  group->Installed(installed);
  co_return reply.snapshot();
}

// A snapshot, and then what was chosen while it was on its way: until it is released `node` keeps
// its log from there on.
Task<absl::Status> InstallAndLearnFrom(Group* group, NodeId node) {
  CO_ASSIGN_OR_RETURN(const uint64_t snapshot, co_await InstallFrom(group, node));
  const absl::Status learned = co_await LearnFrom(group, node);
  co_await ReleaseSnapshot(group, node, snapshot);
  co_return absl::IsNotFound(learned) ? absl::OkStatus() : learned;
}

}  // namespace

Task<void> CatchUp(Group* group, ReplicaId first) {
  GroupHome& home = group->home();
  for (const NodeId node : group->Teachers(first)) {
    absl::Status done = absl::OutOfRangeError("not installed");
    if (group->installed()) done = co_await LearnFrom(group, node);
    if (absl::IsOutOfRange(done) && !group->ended()) {
      done = co_await InstallAndLearnFrom(group, node);
    }
    if (done.ok() || group->ended()) co_return;
    home.world().log().Write(
        runtime::Severity::kDebug, "paxos.catch_up_failed",
        {{"group", group->id().value()}, {"from_node", node.value()}, {"why", done.message()}});
  }
  (void)co_await runtime::SleepFor(home.options().catch_up_pause);
}

}  // namespace paxos
