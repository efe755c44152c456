// Host: all groups of one event loop of a node, and what they share: the log, the store, the
// network, the clock.
//
//   CO_ASSIGN_OR_RETURN(std::unique_ptr<Host> host,
//                       co_await Host::Open(&world, &truetime, MakeMachine, {}));
//   CO_ASSIGN_OR_RETURN(std::shared_ptr<Group> group,
//                       co_await host->CreateGroup(GroupId(1), Configuration::Initial(nodes)));
//   ...
//   co_await host->Close();
//
// Place:       one per node; made, used and closed on one loop, where all of its groups live.
// Coalesced:   the messages of all groups to one node that one turn of the loop brings forth go as
//              one, and the saves of all groups as one write. One timer serves all groups.
// Joining:     a replica is made here in three ways only. By CreateGroup(), once in the life of a
//              group. By recovery from the log. Or as a learner: a message for a group that is
//              unknown here makes this node ask its sender, which answers yes only if it leads and
//              that replica is a learner on this node. So who lost its disk never votes as itself
//              again (PX-DURABLE): its old replica is a voter, and nobody says yes.
// Removal:     a replica that learns that it is no member any more is ended and erased.
// Damage:      a damaged store is wiped, and every group asks its peers for snapshots; votes go on
//              (PX-CHECKSUM). A damaged log cannot be repaired, since votes are lost: Open() gives
//              DATA_LOSS, or status() does from then on, and no replica here says anything any more.
//              Then Wipe() the node; its replicas are to be removed and added anew.
// Concurrency: one loop.
#ifndef PAXOS_HOST_H_
#define PAXOS_HOST_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/group.h"
#include "paxos/host_options.h"
#include "paxos/state_machine.h"
#include "runtime/task.h"
#include "storage/ids.h"

namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}
namespace storage {
class LogStore;
class Store;
}  // namespace storage

namespace paxos {

class Host {
 public:
  // Opens both stores, recovers every group and takes part. `world` and `truetime` outlive it.
  // Errors: DATA_LOSS (the log is damaged: see above), FAILED_PRECONDITION (written by an unknown
  // version), UNAVAILABLE and RESOURCE_EXHAUSTED (the disk; try again later).
  static runtime::Task<absl::StatusOr<std::unique_ptr<Host>>> Open(runtime::World* world,
                                                                   truetime::TrueTime* truetime,
                                                                   StateMachineFactory factory,
                                                                   HostOptions options);
  // Throws away the log and the store of a host that is closed. Whatever the node's replicas
  // promised is forgotten, so they must never vote again: remove them from their groups.
  static runtime::Task<absl::Status> Wipe(runtime::World* world, HostOptions options);

  ~Host();  // Close() has ended, or the node has crashed.
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Ends all groups, and all work. What was acknowledged is durable.
  runtime::Task<void> Close();

  // A new group, of which this node has a voter. It is durable when this ends, and takes part. To
  // be called with the same `configuration` at each of its members, once: never for a group whose
  // replica here was lost.
  runtime::Task<absl::StatusOr<std::shared_ptr<Group>>> CreateGroup(storage::GroupId group,
                                                                    Configuration configuration);

  // Null if there is none here. Tasks of this loop may hold it, and let go of it before the loop
  // ends.
  std::shared_ptr<Group> FindGroup(storage::GroupId group) const;
  // Ascending by id.
  std::vector<std::shared_ptr<Group>> groups() const;

  // OK, or why log or store take nothing now. DATA_LOSS: the log is damaged, for good.
  absl::Status status() const;

  storage::LogStore& log();
  // Null while it is being replaced. Good until the next wait.
  storage::Store* store();
  const HostOptions& options() const;

 private:
  class Core;
  explicit Host(std::unique_ptr<Core> core);

  const std::unique_ptr<Core> core_;
};

}  // namespace paxos

#endif  // PAXOS_HOST_H_
