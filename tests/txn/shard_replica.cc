#include "tests/txn/shard_replica.h"

#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace txn {
namespace {

constexpr storage::GroupId kGroup = storage::StoreRig::kGroup;

}  // namespace

ShardReplica::ShardReplica(uint64_t seed, ShardDescriptor founding, size_t recent_outcomes_max)
    : founding_(std::move(founding)), recent_outcomes_max_(recent_outcomes_max), rig_(seed) {
  CHECK(rig_.Open().ok());
  Restore();
}

void ShardReplica::Choose(const ShardCommand& command, Timestamp t) {
  CHECK(log_.empty() || log_.back().t < t);
  log_.push_back({EncodeCommand(command), t});
}

std::vector<CommandResult> ShardReplica::ApplyNext(size_t count) {
  std::vector<CommandResult> results;
  storage::ApplyBatch batch = rig_.NewBatch();
  for (; count > 0 && applied_ < log_.size(); --count, ++applied_) {
    const Chosen& next = log_[applied_];
    absl::StatusOr<ShardCommand> command = DecodeCommand(next.command);
    CHECK(command.ok()) << command.status();
    absl::StatusOr<CommandResult> result = state_->Apply(*std::move(command), next.t, &batch);
    CHECK(result.ok()) << result.status();
    results.push_back(*std::move(result));
  }
  state_->Finish(&batch);
  batch.SetApplied(kGroup, absl::StrCat(applied_));
  const absl::Status written = rig_.Write(std::move(batch));
  CHECK(written.ok()) << written;
  changes_ = state_->Written();
  return results;
}

CommandResult ShardReplica::Do(const ShardCommand& command, int64_t t) {
  Choose(command, Timestamp(t));
  return ApplyNext(log_.size()).back();
}

void ShardReplica::Restore() {
  state_ = std::make_unique<ShardState>(kGroup, founding_, recent_outcomes_max_);
  const absl::Status restored = state_->Restore(&rig_.store());
  CHECK(restored.ok()) << restored;
}

void ShardReplica::Crash() {
  state_ = nullptr;
  rig_.Crash();
  const absl::Status opened = rig_.Open();
  CHECK(opened.ok()) << opened;
  const absl::StatusOr<std::optional<std::string>> applied = NewView().Applied();
  CHECK(applied.ok()) << applied.status();
  CHECK(absl::SimpleAtoi(applied->value_or("0"), &applied_));
  Restore();
}

std::optional<Outcome> ShardReplica::OutcomeOf(const TransactionId& id) {
  absl::StatusOr<std::optional<Outcome>> outcome = state_->OutcomeOf(id);
  CHECK(outcome.ok()) << outcome.status();
  return *std::move(outcome);
}

std::string ShardReplica::Read(const Key& key, int64_t at) {
  const absl::StatusOr<std::optional<storage::Cell>> cell = NewView().Get(key, Timestamp(at));
  CHECK(cell.ok()) << cell.status();
  return *cell ? (*cell)->value : "-";
}

std::string ShardReplica::Contents() {
  std::ostringstream text;
  storage::View view = NewView();
  const auto state = view.ScanState({}, 1'000'000);
  CHECK(state.ok()) << state.status();
  for (const storage::StateEntry& entry : *state) {
    text << absl::CEscape(entry.key) << " = " << absl::CEscape(entry.value) << "\n";
  }
  for (char c = 'a'; c <= 'z'; ++c) {
    const auto versions = view.Versions(Key(1, c), Timestamp::Max(), 1'000'000);
    CHECK(versions.ok()) << versions.status();
    for (const storage::Version& version : *versions) {
      text << c << " at " << version.timestamp << ": " << version.value.value_or("-") << "\n";
    }
  }
  return text.str();
}

}  // namespace txn
