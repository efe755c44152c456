// What a host does by itself: it replaces a damaged store, cuts logs, and collects garbage.
#include <algorithm>
#include <utility>
#include <vector>

#include "paxos/host_core.h"
#include "runtime/log.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"

namespace paxos {
namespace {

using runtime::Task;

// Between two attempts to open an empty store.
constexpr Duration kPause = std::chrono::milliseconds(500);

}  // namespace

// --- The store ---

void Host::Core::StoreStateChanged() {
  if (closed_ || !store_usable_) return;
  const storage::StoreState state = store_->state();
  world_.log().Write(
      state == storage::StoreState::kOpen ? runtime::Severity::kInfo : runtime::Severity::kWarning,
      "paxos.store_state",
      {{"state", storage::StoreStateName(state)}, {"why", store_->status().message()}});
  // What they pin would hold up the opening.
  if (state != storage::StoreState::kOpen) shelf_.DropAll();
  if (state == storage::StoreState::kDamaged) {
    store_usable_ = false;
    scope_.Spawn(ReplaceStore());
  } else if (state == storage::StoreState::kOpen) {
    for (const std::shared_ptr<Group>& group : groups()) group->StoreChanged();
  }
}

// PX-CHECKSUM: nothing of a damaged store is served any more; the replicas are repaired from their
// peers, or from the log where it reaches back to the beginning.
Task<void> Host::Core::ReplaceStore() {
  for (const std::shared_ptr<Group>& group : groups()) group->StoreChanged();
  co_await store_->Close();
  retired_stores_.push_back(std::move(store_));
  while (!(co_await storage::Store::Wipe(&world_, options_.store.directory)).ok() ||
         !(co_await OpenStore()).ok()) {
    if (!(co_await runtime::SleepFor(kPause)).ok()) co_return;
  }
  store_usable_ = true;
  for (const std::shared_ptr<Group>& group : groups()) group->StoreChanged();
  // What happened to the store before it was usable was not heard.
  if (store_->state() != storage::StoreState::kOpen) StoreStateChanged();
}

// --- The log's length ---

Task<void> Host::Core::CutLogs() {
  while ((co_await runtime::SleepFor(options_.cut_period)).ok()) {
    shelf_.DropIdle();
    // What could not be cut now is cut later.
    (co_await CutLogsOnce()).IgnoreError();
  }
}

Task<absl::Status> Host::Core::CutLogsOnce() {
  std::vector<std::pair<std::shared_ptr<Group>, Slot>> cuts;
  for (const std::shared_ptr<Group>& group : groups()) {
    const std::optional<Slot> point = group->CutPoint(shelf_.OldestGiven(group->id()));
    if (point) cuts.emplace_back(group, *point);
  }
  if (cuts.empty() || !store_usable_) co_return absl::OkStatus();
  // PX-SNAPSHOT: the log is cut only below what is durably applied.
  CO_RETURN_IF_ERROR(co_await store_->SyncApplied());
  std::vector<storage::LogWrite> writes;
  for (const auto& [group, before] : cuts) {
    // One that is being erased, or was told meanwhile to begin anew, is left alone.
    if (group->CutPoint(shelf_.OldestGiven(group->id())) < before) continue;
    if (leaving_.contains(group->id())) continue;
    writes.push_back({.group = group->id(), .truncate_before = before});
    group->WasCut(before);
  }
  instruments_.cuts.Add(static_cast<double>(writes.size()));
  co_return co_await log_->Write(std::move(writes));
}

// --- Old versions ---

Task<void> Host::Core::CollectGarbage() {
  Duration rest = options_.collect_period;
  while ((co_await runtime::SleepFor(rest)).ok()) {
    const MonotonicTime begin = executor_.Now();
    for (const std::shared_ptr<Group>& group : groups()) {
      // Nothing goes that a snapshot for another node may still want: it would only make work.
      if (shelf_.OldestGiven(group->id())) continue;
      // What could not be collected now is collected later.
      (co_await group->CollectGarbage()).IgnoreError();
    }
    rest = std::max(options_.collect_period, options_.collect_rest * (executor_.Now() - begin));
  }
}

}  // namespace paxos
