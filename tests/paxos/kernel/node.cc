#include "tests/paxos/kernel/node.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"

namespace paxos {

Disk Disk::Founder(ReplicaId self, const Configuration& configuration) {
  Disk disk;
  disk.hard_state.self = self;
  disk.hard_state.configuration = configuration;
  disk.machine.configuration = configuration;
  return disk;
}

Disk Disk::Joiner(ReplicaId self) {
  Disk disk;
  disk.hard_state.self = self;
  disk.machine.installed = false;
  return disk;
}

void KernelNode::Start(uint64_t seed) {
  CHECK(!up());
  machine_ = disk_.machine;
  Recovered recovered{.hard_state = disk_.hard_state,
                      .installed = machine_.installed,
                      .applied = machine_.applied,
                      .applied_timestamp = machine_.timestamp,
                      .configuration = machine_.configuration,
                      .configuration_slot = machine_.configuration_slot,
                      .truncated_before = disk_.truncated_before,
                      .accepted = {}};
  for (const auto& [slot, accepted] : disk_.log) {
    if (slot > machine_.applied) recovered.accepted.push_back(accepted);
  }
  replica_.emplace(options_, std::move(recovered), seed);
}

void KernelNode::Crash() {
  replica_.reset();
  saves_.clear();
  saving_since_.reset();
  chosen_.clear();
  fetch_.reset();
}

std::vector<Message> KernelNode::Collect(const Moment& moment) {
  Ready ready = replica_->TakeReady(moment);
  if (ready.save) {
    if (saves_.empty()) saving_since_ = moment.monotonic;
    saves_.push_back(std::move(*ready.save));
  }
  for (Chosen& chosen : ready.apply) chosen_.push_back(std::move(chosen));
  if (ready.fetch) fetch_ = ready.fetch;
  return std::move(ready.messages);
}

Save KernelNode::Persist(const Moment& moment) {
  CHECK(!saves_.empty());
  Save save = std::move(saves_.front());
  saves_.pop_front();
  if (save.hard_state) disk_.hard_state = *save.hard_state;
  for (const AcceptedEntry& entry : save.entries) {
    if (entry.slot >= disk_.truncated_before) disk_.log.insert_or_assign(entry.slot, entry);
  }
  saving_since_.reset();
  if (!saves_.empty()) saving_since_ = moment.monotonic;
  replica_->Saved(save.id, moment);
  return save;
}

std::vector<Chosen> KernelNode::Apply(size_t count) {
  std::vector<Chosen> applied;
  while (machine_.installed && !chosen_.empty() && applied.size() < count) {
    Chosen& chosen = chosen_.front();
    const auto logged = disk_.log.find(chosen.slot);
    if (logged == disk_.log.end() || !(logged->second.entry == chosen.entry)) break;
    CHECK(chosen.slot == Next(machine_.applied));
    machine_.applied = chosen.slot;
    machine_.timestamp = chosen.entry.timestamp;
    if (chosen.entry.kind == EntryKind::kConfiguration) {
      machine_.configuration = *chosen.entry.configuration;
      machine_.configuration_slot = chosen.slot;
    }
    applied.push_back(std::move(chosen));
    chosen_.pop_front();
  }
  if (!applied.empty()) replica_->Applied(machine_.applied);
  return applied;
}

void KernelNode::Cut() {
  if (!disk_.machine.installed) return;
  disk_.truncated_before = std::max(disk_.truncated_before, Next(disk_.machine.applied));
  disk_.log.erase(disk_.log.begin(), disk_.log.lower_bound(disk_.truncated_before));
}

std::optional<std::vector<AcceptedEntry>> KernelNode::Teach(Slot from, size_t count) const {
  if (from < disk_.truncated_before) return std::nullopt;
  std::vector<AcceptedEntry> entries;
  for (Slot slot = from; slot <= machine_.applied && entries.size() < count; slot = Next(slot)) {
    entries.push_back(disk_.log.at(slot));
  }
  return entries;
}

bool KernelNode::Install(const Machine& snapshot, const Moment& moment) {
  if (!snapshot.installed || snapshot.applied < replica_->applied()) return false;
  if (machine_.installed && snapshot.applied <= machine_.applied) return false;
  machine_ = snapshot;
  disk_.machine = snapshot;
  Cut();  // Below it the log may have anything.
  chosen_.clear();
  replica_->Installed(snapshot.applied, snapshot.timestamp, snapshot.configuration,
                      snapshot.configuration_slot, moment);
  return true;
}

void KernelNode::LoseMachine(const Moment& moment) {
  machine_ = {};
  machine_.installed = false;
  disk_.machine = machine_;
  chosen_.clear();
  replica_->Uninstalled(moment);
}

}  // namespace paxos
