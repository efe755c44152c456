#include "simulation/register_machine.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "paxos/records.h"
#include "runtime/check.h"
#include "runtime/experiments.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/world.h"

namespace simulation {
namespace {

using runtime::Timestamp;
using runtime::operator""ms;
using runtime::operator""s;
using storage::Slot;

constexpr char kCommands[] = "commands";
constexpr runtime::Duration kRetained = 2s;
constexpr size_t kResultsMax = 4096;
constexpr size_t kVersionsMax = 100'000;

absl::StatusOr<uint64_t> ReadCommands(storage::View* view) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, view->State(kCommands));
  uint64_t commands = 0;
  if (text.has_value() && !absl::SimpleAtoi(*text, &commands)) {
    return absl::DataLossError("the count of commands is no number");
  }
  return commands;
}

}  // namespace

RegisterMachine::RegisterMachine(runtime::World* world, PaxosTruth* truth, storage::GroupId group)
    : world_(*world),
      truth_(*truth),
      group_(group),
      retained_(world->experiments().Buggify("simulation.nothing_retained") ? 0s : kRetained) {}

std::string RegisterMachine::Name() const { return absl::StrCat("node ", world_.node().value()); }

std::optional<RegisterResult> RegisterMachine::ResultOf(Slot slot) const {
  const auto found = results_.find(slot);
  if (found == results_.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<GroupContents> RegisterMachine::Read(storage::View* view,
                                                    const std::vector<std::string>& keys) {
  GroupContents contents;
  ASSIGN_OR_RETURN(const std::optional<std::string> applied, view->Applied());
  if (!applied.has_value()) return absl::UnavailableError("nothing was applied");
  ASSIGN_OR_RETURN(const paxos::AppliedState state, paxos::DecodeAppliedState(*applied));
  contents.applied = state.slot;
  contents.horizon = view->horizon();
  ASSIGN_OR_RETURN(contents.commands, ReadCommands(view));
  const storage::KeyRange rows = RowsOf(view->group());
  for (const std::string& key : keys) contents.rows[key];
  for (std::optional<storage::KeyRange> rest = rows; rest.has_value();) {
    ASSIGN_OR_RETURN(storage::ScanResult scanned,
                     view->Scan({.range = *rest, .at = Timestamp::Max()}));
    for (const storage::Row& row : scanned.rows) contents.rows[row.key.substr(rows.start.size())];
    rest = std::move(scanned.rest);
  }
  for (auto& [key, versions] : contents.rows) {
    ASSIGN_OR_RETURN(const std::vector<storage::Version> found,
                     view->Versions(RowKey(view->group(), key), Timestamp::Max(), kVersionsMax));
    for (auto version = found.rbegin(); version != found.rend(); ++version) {
      versions.push_back({version->timestamp, version->value});
    }
  }
  std::erase_if(contents.rows, [](const auto& row) { return row.second.empty(); });
  return contents;
}

runtime::Task<absl::Status> RegisterMachine::Restored(storage::Store* store, Slot applied,
                                                      Timestamp timestamp) {
  if (world_.experiments().Buggify("simulation.slow_restore")) {
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(world_.random().Uniform(1ms, 300ms)));
  }
  CO_ASSIGN_OR_RETURN(storage::View view, store->NewView(group_));
  CO_ASSIGN_OR_RETURN(commands_, ReadCommands(&view));
  store_ = store;
  at_ = applied;
  newest_ = timestamp;
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> RegisterMachine::Apply(std::vector<paxos::Command> commands,
                                                   storage::ApplyBatch* batch) {
  if (world_.experiments().Buggify("simulation.slow_apply")) {
    CO_RETURN_IF_ERROR(co_await runtime::SleepFor(world_.random().Uniform(1ms, 50ms)));
  }
  CHECK(store_ != nullptr) << "Apply() comes after Restored()";
  CO_ASSIGN_OR_RETURN(storage::View view, store_->NewView(group_));
  std::map<std::string, RegisterValue> changed;  // By this batch.
  Slot at = at_;
  uint64_t count = commands_;
  for (const paxos::Command& chosen : commands) {
    CO_ASSIGN_OR_RETURN(const RegisterCommand command, DecodeCommand(*chosen.bytes));
    auto present = changed.find(command.key);
    if (present == changed.end()) {
      CO_ASSIGN_OR_RETURN(std::optional<storage::Version> newest,
                          view.Newest(RowKey(group_, command.key)));
      present = changed.emplace(command.key, newest ? newest->value : RegisterValue()).first;
    }
    RegisterResult result = Perform(command, present->second);
    truth_.group(group_).Applying(Name(), at, chosen.slot, result);
    at = chosen.slot;
    ++count;
    if (result.took_effect) {
      const storage::Key row = RowKey(group_, command.key);
      if (command.written.has_value()) {
        batch->Put(row, chosen.timestamp, *command.written);
      } else {
        batch->Delete(row, chosen.timestamp);
      }
      present->second = command.written;
    }
    results_[chosen.slot] = std::move(result);
    if (results_.size() > kResultsMax) results_.erase(results_.begin());
  }
  batch->PutState(group_, kCommands, absl::StrCat(count));
  commands_ = count;
  co_return absl::OkStatus();
}

void RegisterMachine::Applied(Slot slot, Timestamp timestamp) {
  at_ = slot;
  newest_ = timestamp;
}

void RegisterMachine::LeadershipGained(paxos::Ballot ballot) {
  CHECK(!leading_.has_value()) << "gained under " << ballot << " and " << *leading_;
  leading_ = ballot;
  world_.experiments().Probe("simulation.leadership_gained");
}

void RegisterMachine::LeadershipLost(paxos::Ballot ballot) {
  CHECK(leading_ == ballot) << "lost under " << ballot;
  leading_.reset();
}

}  // namespace simulation
