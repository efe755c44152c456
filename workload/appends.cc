#include "workload/appends.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/row_values.h"

namespace workload {
namespace {

using txn::LockMode;

constexpr int kSlotsPerShard = 2;
constexpr int kListMax = 24;
constexpr int kStepsMax = 4;
constexpr double kSnapshots = 0.25;

}  // namespace

AppendWorkload::AppendWorkload(TransactionJournal* journal, int shards)
    : TransactionWorkload(journal, shards), slots_(static_cast<size_t>(kSlotsPerShard * shards)) {
  for (size_t slot = 0; slot < slots_.size(); ++slot) NewList(slot);
}

void AppendWorkload::NewList(size_t slot) {
  Slot& changed = slots_[slot];
  changed.key = key_space().Numbered(static_cast<int64_t>(slot),
                                     absl::StrCat("list", slot, ".", changed.lists));
  changed.appended = 0;
  ++changed.lists;
  all_keys_.push_back(changed.key);
}

runtime::Task<absl::Status> AppendWorkload::Prepare(WorkloadClient*) {
  // A list that nobody appended to is empty.
  co_return absl::OkStatus();
}

std::vector<AppendWorkload::Step> AppendWorkload::SomeSteps(runtime::Random* random) {
  std::vector<Step> steps;
  const int64_t count = random->Uniform(1, kStepsMax);
  for (int64_t i = 0; i < count; ++i) {
    const auto slot =
        static_cast<size_t>(random->Uniform(0, static_cast<int64_t>(slots_.size()) - 1));
    if (slots_[slot].appended >= kListMax) NewList(slot);
    Step& step = steps.emplace_back();
    step.key = slots_[slot].key;
    step.append = random->Chance(0.5);
    if (!step.append) continue;
    ++slots_[slot].appended;
    step.tells_read = random->Chance(0.3);
    step.mode = static_cast<LockMode>(random->Uniform(0, 2));
  }
  return steps;
}

runtime::Task<void> AppendWorkload::Act(WorkloadClient* client) {
  std::vector<Step> steps = SomeSteps(client->random);
  if (client->random->Chance(kSnapshots)) {
    std::vector<Key> keys;
    for (const Slot& slot : slots_) {
      if (client->random->Chance(0.5)) keys.push_back(slot.key);
    }
    if (keys.empty()) keys.push_back(steps.front().key);
    const txn::ReadBound bound = SomeBound(client, /*single=*/true);
    (co_await Snapshot(client, bound, std::move(keys))).IgnoreError();
    co_return;
  }
  (co_await RunRecorded(client, [this, steps = std::move(steps)](RecordedTransaction* transaction) {
    return Body(steps, transaction);
  })).IgnoreError();
}

runtime::Task<absl::Status> AppendWorkload::Body(std::vector<Step> steps,
                                                 RecordedTransaction* transaction) {
  for (const Step& step : steps) {
    CO_ASSIGN_OR_RETURN(const txn::Values values, co_await transaction->Get({step.key}, step.mode));
    std::vector<int64_t> list;
    checker::EventOperation saw = SawList(&journal(), step.key, values.front(), &list);
    if (!step.append || step.tells_read) transaction->Saw(std::move(saw));
    if (!step.append) continue;
    list.push_back(journal().NewValue());
    CO_RETURN_IF_ERROR(
        transaction->Put(step.key, ToText(list), checker::Append(step.key, list.back())));
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> AppendWorkload::Snapshot(WorkloadClient* client, txn::ReadBound bound,
                                                     std::vector<Key> keys) {
  RecordedSnapshot snapshot(client, bound);
  const absl::StatusOr<txn::Values> values = co_await snapshot.Get(keys);
  if (!values.ok()) {
    snapshot.GiveUp(values.status());
    co_return values.status();
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    std::vector<int64_t> list;
    snapshot.Saw(SawList(&journal(), keys[i], (*values)[i], &list));
  }
  snapshot.End();
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> AppendWorkload::ReadAll(WorkloadClient* client) {
  co_return co_await Snapshot(client, txn::ReadBound::Strong(), all_keys_);
}

}  // namespace workload
