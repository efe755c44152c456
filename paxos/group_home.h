// GroupHome: what a group has from its host: the node's clock, log and store, and a place in what
// is done for all groups together. One loop.
#ifndef PAXOS_GROUP_HOME_H_
#define PAXOS_GROUP_HOME_H_

#include <memory>
#include <optional>

#include "paxos/host_options.h"
#include "paxos/kernel/message.h"
#include "paxos/kernel/moment.h"
#include "paxos/kernel/outbox.h"
#include "paxos/permits.h"
#include "runtime/strong_id.h"
#include "storage/ids.h"

namespace runtime {
class World;
}
namespace storage {
class LogStore;
class Store;
}  // namespace storage

namespace paxos {

class Group;
struct Instruments;

// The host's notes about a group.
struct GroupPlace {
  bool due = false;                             // Drive() will be called.
  std::optional<runtime::MonotonicTime> alarm;  // When Drive() is due for the time's sake.
};

// What a group wants on the disk.
struct GroupSave {
  storage::GroupId group;
  // See GroupMeta.
  std::shared_ptr<const Configuration> founding;
  paxos::Save save;
};

class GroupHome {
 public:
  virtual runtime::World& world() = 0;
  virtual const HostOptions& options() const = 0;
  virtual Instruments& instruments() = 0;
  virtual Moment Now() const = 0;

  virtual storage::LogStore& log() = 0;
  // Null while it is being replaced. Good until the next wait.
  virtual storage::Store* store() = 0;

  // Group::Drive() is called later in this turn of the loop.
  virtual void WorkFor(Group* group) = 0;
  // Goes with all else for `node` at the end of the turn. It may be lost.
  virtual void Send(runtime::NodeId node, storage::GroupId group, const Message& message) = 0;
  // Group::Saved() is called when it is durable. Saves of a group become so in their order.
  virtual void Save(GroupSave save) = 0;

  // Held by who installs a snapshot.
  virtual Permits& installs() = 0;
  // The replica is no member any more: the host ends the group and erases it, soon.
  virtual void Erase(storage::GroupId group) = 0;

 protected:
  ~GroupHome() = default;
};

}  // namespace paxos

#endif  // PAXOS_GROUP_HOME_H_
