// StateMachine: what a group replicates. The floors above implement it, one object for each replica.
//
// Place:       owned by the Group, called by it alone, on its loop.
// Order:       Restored() comes first, and again whenever the state in the store is not what was
//              applied last: after a snapshot, and after a store that failed was opened again, with
//              an earlier state perhaps. Between two of them come the batches, one at a time, in
//              the order of the slots, each slot once. LeadershipGained() and LeadershipLost() take
//              turns.
// Determinism: the same commands at the same slots make the same changes on every replica.
#ifndef PAXOS_STATE_MACHINE_H_
#define PAXOS_STATE_MACHINE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "paxos/kernel/ballot.h"
#include "paxos/kernel/entry.h"
#include "runtime/task.h"
#include "storage/apply_batch.h"
#include "storage/ids.h"
#include "storage/key_range.h"

namespace storage {
class Store;
}

namespace paxos {

class Group;

// A chosen command.
struct Command {
  Slot slot;
  Timestamp timestamp;
  std::shared_ptr<const std::string> bytes;  // Never null.
};

class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // The keys whose rows are the group's, as of the last Restored() or Applied(): what a snapshot
  // holds. Ranges of groups on one node do not overlap.
  virtual storage::KeyRange range() const = 0;

  // Nothing will be read below it any more: of the versions at or below it only the newest of each
  // row is kept. Min(): all are kept. It is not above the timestamp of anything that a command may
  // still write; the group sees to that for those that are written at their entry's timestamp.
  virtual Timestamp horizon() const { return Timestamp::Min(); }

  // The store holds the state as of `applied`; slot 0 is the empty beginning. What is kept in
  // memory is to be read anew from `store`, which is good until the next call of Restored() or
  // StateLost(). An error other than a cancellation is the store's trouble: it is called again.
  virtual runtime::Task<absl::Status> Restored(storage::Store* store, Slot applied,
                                               Timestamp timestamp) = 0;

  // Whether Apply() would not wait for this command. A batch that is taken from the queue ends before
  // a command that is not due, so that those before it do not wait for it; a batch of one may not be.
  virtual bool Due(const Command&) const { return true; }

  // Adds to `batch`, which outlives the task, what the commands change. It may wait (TX-COMMIT-WAIT),
  // and is cancelled when the group ends. An error other than a cancellation is the store's trouble:
  // Restored() follows.
  virtual runtime::Task<absl::Status> Apply(std::vector<Command> commands,
                                            storage::ApplyBatch* batch) = 0;

  // What Apply() added last can be read from the store; all up to `slot` has been applied.
  virtual void Applied(Slot slot, Timestamp timestamp) = 0;

  // The state is gone, damaged or behind what a snapshot will bring: nothing may be read before
  // Restored().
  virtual void StateLost() = 0;

  // The replica leads under `ballot`, and all that was chosen before is applied.
  virtual void LeadershipGained(Ballot ballot) = 0;
  // It does not lead any more under `ballot`, and has not since its lease ended.
  virtual void LeadershipLost(Ballot ballot) = 0;
};

// Makes the state machine of a group that is created, joined or recovered here.
using StateMachineFactory = std::function<std::unique_ptr<StateMachine>(storage::GroupId)>;

}  // namespace paxos

#endif  // PAXOS_STATE_MACHINE_H_
