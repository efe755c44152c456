#include "workload/registers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"
#include "workload/row_values.h"

namespace workload {

using txn::LockMode;

RegisterWorkload::RegisterWorkload(TransactionJournal* journal, int shards, Mix mix)
    : TransactionWorkload(journal, shards), mix_(mix) {
  for (int i = 0; i < mix_.keys_per_shard * shards; ++i) {
    keys_.push_back(key_space().Numbered(i, absl::StrCat("register", i)));
  }
}

runtime::Task<absl::Status> RegisterWorkload::Prepare(WorkloadClient*) {
  // A register that nobody wrote is nil.
  co_return absl::OkStatus();
}

std::vector<Key> RegisterWorkload::SomeKeys(runtime::Random* random) const {
  std::vector<Key> keys;
  const int64_t count = random->Uniform(1, 3);
  for (int64_t i = 0; i < count; ++i) {
    const Key& key =
        keys_[static_cast<size_t>(random->Uniform(0, static_cast<int64_t>(keys_.size()) - 1))];
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  }
  return keys;
}

std::vector<RegisterWorkload::Step> RegisterWorkload::SomeSteps(runtime::Random* random) const {
  if (random->Chance(mix_.blind_writes)) {
    return {{.kind = Step::Kind::kWrite, .keys = {SomeKeys(random).front()}}};
  }
  std::vector<Step> steps;
  const int64_t count = random->Uniform(1, mix_.steps_max);
  for (int64_t i = 0; i < count; ++i) {
    Step& step = steps.emplace_back();
    step.keys = SomeKeys(random);
    const double kind = random->Fraction();
    if (kind < 0.25) {
      step.kind = Step::Kind::kWrite;
    } else if (kind < 0.6) {
      step.kind = Step::Kind::kReadThenWrite;
      step.mode = static_cast<LockMode>(random->Uniform(0, 2));
    }
  }
  return steps;
}

runtime::Task<void> RegisterWorkload::Act(WorkloadClient* client) {
  if (client->random->Chance(mix_.snapshots)) {
    std::vector<Key> keys = mix_.snapshots_of_all ? keys_ : SomeKeys(client->random);
    const txn::ReadBound bound = SomeBound(client, /*single=*/true);
    (co_await Snapshot(client, bound, std::move(keys))).IgnoreError();
    co_return;
  }
  std::vector<Step> steps = SomeSteps(client->random);
  (co_await RunRecorded(client, [this, steps = std::move(steps)](RecordedTransaction* transaction) {
    return Body(steps, transaction);
  })).IgnoreError();
}

runtime::Task<absl::Status> RegisterWorkload::Body(std::vector<Step> steps,
                                                   RecordedTransaction* transaction) {
  for (const Step& step : steps) {
    if (step.kind != Step::Kind::kWrite) {
      CO_ASSIGN_OR_RETURN(const txn::Values values,
                          co_await transaction->Get(step.keys, step.mode));
      for (size_t i = 0; i < step.keys.size(); ++i) {
        Tagged value;
        transaction->Saw(SawTagged(&journal(), step.keys[i], values[i], &value));
      }
    }
    if (step.kind == Step::Kind::kRead) continue;
    for (const Key& key : step.keys) {
      const int64_t tag = journal().NewValue();
      CO_RETURN_IF_ERROR(
          transaction->Put(key, ToText(Tagged{.tag = tag}), checker::Write(key, tag)));
    }
  }
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> RegisterWorkload::Snapshot(WorkloadClient* client, txn::ReadBound bound,
                                                       std::vector<Key> keys) {
  RecordedSnapshot snapshot(client, bound);
  const absl::StatusOr<txn::Values> values = co_await snapshot.Get(keys);
  if (!values.ok()) {
    snapshot.GiveUp(values.status());
    co_return values.status();
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    Tagged value;
    snapshot.Saw(SawTagged(&journal(), keys[i], (*values)[i], &value));
  }
  snapshot.End();
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> RegisterWorkload::ReadAll(WorkloadClient* client) {
  co_return co_await Snapshot(client, txn::ReadBound::Strong(), keys_);
}

}  // namespace workload
