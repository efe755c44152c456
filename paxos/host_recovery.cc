// Opening a host: what the log and the store hold, and the groups that come of it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "paxos/calls.h"
#include "paxos/host_core.h"
#include "paxos/records.h"
#include "runtime/blocking.h"
#include "runtime/check.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"
#include "storage/generation.h"

namespace paxos {
namespace {

using runtime::Task;

// How much of a group's log is read at a time.
constexpr size_t kReadBytesMax = 4 << 20;

}  // namespace

Task<absl::Status> Host::Core::OpenLog() {
  CO_ASSIGN_OR_RETURN(
      std::string directory,
      co_await runtime::RunBlocking(&world_.blocking(),
                                    [files = &world_.files(), path = options_.log_directory] {
                                      return storage::NewestGeneration(files, path);
                                    }));
  absl::StatusOr<std::unique_ptr<storage::LogStore>> log =
      co_await storage::LogStore::Open(&world_, std::move(directory), options_.log);
  if (absl::IsDataLoss(log.status())) {
    world_.log().Write(
        runtime::Severity::kError, "paxos.log_damaged",
        {{"what", log.status().message()},
         {"remedy", "wipe this node; remove its replicas from their groups and add new ones"}});
  }
  CO_RETURN_IF_ERROR(log.status());
  log_ = *std::move(log);
  co_return absl::OkStatus();
}

Task<absl::Status> Host::Core::Open() {
  CO_RETURN_IF_ERROR(co_await OpenLog());
  saves_ = std::make_unique<SaveQueue>(
      log_.get(), &instruments_, &scope_,
      [this](storage::GroupId group, SaveId save) { SaveIsDurable(group, save); });
  CO_ASSIGN_OR_RETURN(const StoredGroups stored, co_await OpenStoreAndRead());
  for (storage::RecoveredGroup& found : log_->TakeRecovered()) {
    const auto there = stored.find(found.group);
    CO_RETURN_IF_ERROR(
        co_await RecoverGroup(std::move(found), there == stored.end() ? nullptr : &there->second));
  }
  StartServing();
  for (const auto& [id, group] : stored) {
    if (groups_.contains(id)) continue;
    leaving_.insert(id);
    scope_.Spawn(RemoveStoredInBackground(id));
  }
  co_return absl::OkStatus();
}

void Host::Core::StartServing() {
  runtime::Network& network = world_.network();
  registrations_.push_back(network.Receive(
      kPaxosMessages, &executor_,
      [this](runtime::NodeId sender, const std::string& payload) { Receive(sender, payload); }));
  registrations_.push_back(runtime::Serve<wire::JoinRequest, wire::JoinReply>(
      &network, kJoin, &executor_, [this](runtime::NodeId caller, wire::JoinRequest request) {
        return ServeJoin(caller, std::move(request));
      }));
  registrations_.push_back(runtime::Serve<wire::FetchChosenRequest, wire::FetchChosenReply>(
      &network, kFetchChosen, &executor_,
      [this](runtime::NodeId caller, wire::FetchChosenRequest request) {
        return ServeFetchChosen(caller, std::move(request));
      }));
  registrations_.push_back(runtime::Serve<wire::FetchSnapshotRequest, wire::FetchSnapshotReply>(
      &network, kFetchSnapshot, &executor_,
      [this](runtime::NodeId caller, wire::FetchSnapshotRequest request) {
        return ServeFetchSnapshot(caller, std::move(request));
      }));
  for (const std::shared_ptr<Group>& group : groups()) group->Begin();
  scope_.Spawn(CutLogs());
  scope_.Spawn(CollectGarbage());
}

// --- The store ---

Task<absl::Status> Host::Core::OpenStore() {
  storage::StoreOptions options = options_.store;
  options.state_changed = [this] { StoreStateChanged(); };
  absl::StatusOr<std::unique_ptr<storage::Store>> store =
      co_await storage::Store::Open(&world_, options);
  if (absl::IsDataLoss(store.status())) {
    world_.log().Write(runtime::Severity::kWarning, "paxos.store_damaged",
                       {{"what", store.status().message()}, {"remedy", "snapshots from peers"}});
    CO_RETURN_IF_ERROR(co_await storage::Store::Wipe(&world_, options.directory));
    store = co_await storage::Store::Open(&world_, options);
  }
  CO_RETURN_IF_ERROR(store.status());
  store_ = *std::move(store);
  co_return absl::OkStatus();
}

Task<absl::StatusOr<Host::Core::StoredGroups>> Host::Core::OpenStoreAndRead() {
  CO_RETURN_IF_ERROR(co_await OpenStore());
  absl::StatusOr<std::vector<storage::StoredGroup>> found = co_await store_->Groups();
  // Not usable yet, so that damage found here is answered here and not by ReplaceStore() as well.
  if (absl::IsDataLoss(found.status())) {
    co_await store_->Close();
    CO_RETURN_IF_ERROR(co_await storage::Store::Wipe(&world_, options_.store.directory));
    CO_RETURN_IF_ERROR(co_await OpenStore());
    found = co_await store_->Groups();
  }
  CO_RETURN_IF_ERROR(found.status());
  store_usable_ = true;
  StoredGroups stored;
  for (storage::StoredGroup& group : *found) stored.emplace(group.group, std::move(group));
  co_return stored;
}

// --- A group ---

Task<absl::Status> Host::Core::RecoverGroup(storage::RecoveredGroup found,
                                            const storage::StoredGroup* stored) {
  CO_ASSIGN_OR_RETURN(GroupMeta meta, DecodeGroupMeta(found.meta));
  Group::Start start;
  start.group = found.group;
  start.founding = meta.founding;
  Recovered& recovered = start.recovered;
  recovered.hard_state = std::move(meta.hard_state);
  recovered.truncated_before = std::max(found.truncated_before, Slot(1));
  if (stored != nullptr && stored->install) {
    recovered.installed = false;
    start.snapshot = stored->install->snapshot;
  } else if (stored != nullptr && !stored->applied.empty()) {
    CO_ASSIGN_OR_RETURN(start.applied, DecodeAppliedState(stored->applied));
  } else if (meta.founding != nullptr) {
    start.applied.configuration = *meta.founding;
  } else {
    recovered.installed = false;
  }
  // The store came back with less than the log was cut for: it lost what it had synced.
  if (Next(start.applied.slot) < recovered.truncated_before) recovered.installed = false;
  if (!recovered.installed) start.applied = {};
  recovered.applied = start.applied.slot;
  recovered.applied_timestamp = start.applied.timestamp;
  recovered.configuration = start.applied.configuration;
  recovered.configuration_slot = start.applied.configuration_slot;
  recovered.configuration = start.applied.configuration;
  recovered.configuration_slot = start.applied.configuration_slot;
  CO_RETURN_IF_ERROR(co_await ReadAccepted(std::move(found), &recovered));
  AddGroup(std::move(start));
  co_return absl::OkStatus();
}

Task<absl::Status> Host::Core::ReadAccepted(storage::RecoveredGroup found, Recovered* recovered) {
  Slot from = std::max(Next(recovered->applied), recovered->truncated_before);
  while (from <= found.last) {
    CO_ASSIGN_OR_RETURN(const std::vector<storage::LogEntry> entries,
                        co_await log_->Read(found.group, from, Next(found.last), kReadBytesMax));
    if (entries.empty()) break;
    for (const storage::LogEntry& entry : entries) {
      CO_ASSIGN_OR_RETURN(AcceptedEntry accepted, DecodeLogEntry(entry.slot, entry.bytes));
      recovered->accepted.push_back(std::move(accepted));
    }
    from = Next(entries.back().slot);
  }
  co_return absl::OkStatus();
}

std::shared_ptr<Group> Host::Core::AddGroup(Group::Start start) {
  start.seed = world_.random().Next();
  const storage::GroupId id = start.group;
  auto group = std::make_shared<Group>(this, std::move(start), factory_(id));
  CHECK(groups_.emplace(id, group).second) << "group " << id << " is here already";
  instruments_.groups.Set(static_cast<double>(groups_.size()));
  return group;
}

}  // namespace paxos
