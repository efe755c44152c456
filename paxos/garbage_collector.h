// GarbageCollector: throws away the versions of a group's rows that nobody can read any more.
//
// Place:       one for each Group, which owns it; its host calls Collect() now and then.
// Excluded:    while a snapshot is being installed or the group is being removed nothing is
//              collected: what was found in the state before would be thrown away in the state
//              after. So Stop() comes before them, and Resume() after.
// Concurrency: one loop; one Collect() at a time.
#ifndef PAXOS_GARBAGE_COLLECTOR_H_
#define PAXOS_GARBAGE_COLLECTOR_H_

#include <optional>

#include "absl/status/status.h"
#include "paxos/group_home.h"
#include "paxos/state_machine.h"
#include "runtime/event.h"
#include "runtime/task.h"
#include "storage/ids.h"

namespace paxos {

class GarbageCollector {
 public:
  // Both outlive it.
  GarbageCollector(GroupHome* home, storage::GroupId group, const StateMachine* machine);

  // Collects below `horizon`. `newest` is the timestamp of the last write: with nothing written
  // above the last horizon there is nothing to do. UNAVAILABLE when it was stopped or the store is
  // not there; the rest is done by a later call.
  runtime::Task<absl::Status> Collect(Timestamp horizon, Timestamp newest);

  // Ends when nothing is under way; nothing begins before Resume().
  runtime::Task<absl::Status> Stop();
  void Resume();

 private:
  class Running;

  runtime::Task<absl::Status> CollectFrom(Timestamp horizon);

  GroupHome& home_;
  const storage::GroupId group_;
  const StateMachine& machine_;
  // The horizon of the last pass; not known at first. What a pass that was cut off by a crash left
  // is found by the next one, after the next write.
  std::optional<Timestamp> collected_;
  bool stopped_ = false;
  runtime::Event idle_;
};

}  // namespace paxos

#endif  // PAXOS_GARBAGE_COLLECTOR_H_
