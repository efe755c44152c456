// SnapshotShelf: the snapshots that this node gives to others at the moment.
//
// Bounded:     a few at a time, and one of a group for a node: who begins anew has given up what it
//              had before. One that is not asked for in a while is dropped, since it pins disk space;
//              earlier if another one wants its place. Who wanted it begins again.
// Log:         a snapshot stands here until who got it has also learned what was chosen meanwhile:
//              the log is not cut above it (Group::CutPoint).
// Concurrency: one loop; chunks are read as blocking work.
#ifndef PAXOS_SNAPSHOT_SHELF_H_
#define PAXOS_SNAPSHOT_SHELF_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "paxos/group_home.h"
#include "runtime/task.h"

namespace isochron::paxos {
class FetchSnapshotReply;
class FetchSnapshotRequest;
}  // namespace isochron::paxos

namespace paxos {

class SnapshotShelf {
 public:
  explicit SnapshotShelf(GroupHome* home);
  ~SnapshotShelf();

  // A chunk of a snapshot of `request.group`, whose replica here is installed, for `asker`.
  // NOT_FOUND: there is no such snapshot (any more). RESOURCE_EXHAUSTED: as many as may be are under
  // way.
  runtime::Task<absl::StatusOr<::isochron::paxos::FetchSnapshotReply>> Serve(
      runtime::NodeId asker, ::isochron::paxos::FetchSnapshotRequest request);

  // `asker` fetches what follows the snapshot of `group` that it got.
  void Used(storage::GroupId group, runtime::NodeId asker);
  // The lowest slot of which a snapshot of `group` is being given.
  std::optional<Slot> OldestGiven(storage::GroupId group) const;

  void DropIdle();
  // The store is closed.
  void DropAll() { given_.clear(); }

 private:
  struct Given;

  absl::StatusOr<std::shared_ptr<Given>> Begin(
      runtime::NodeId asker, const ::isochron::paxos::FetchSnapshotRequest& request);
  // Whether there is room for one more for `asker`, perhaps in the place of another one.
  bool MakeRoom(storage::GroupId group, runtime::NodeId asker);
  void DropUnused(Duration at_least);

  GroupHome& home_;
  std::map<uint64_t, std::shared_ptr<Given>> given_;  // By id.
};

}  // namespace paxos

#endif  // PAXOS_SNAPSHOT_SHELF_H_
