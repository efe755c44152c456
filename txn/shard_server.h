// ShardServer: the shards of a node. It makes their state machines, and answers what gateways and
// other shards ask of them.
//
//   ShardServer shards(&world, &truetime, &map, {});
//   CO_ASSIGN_OR_RETURN(auto host, co_await paxos::Host::Open(..., shards.Factory(Founding), {}));
//   shards.SetHost(host.get());
//   ...
//   shards.SetHost(nullptr);
//   co_await host->Close();
//   co_await shards.Close();
//
// Place:       one per node, on the loop of its host, which ends first. World, clock and map outlive it.
// Concurrency: one loop.
#ifndef TXN_SHARD_SERVER_H_
#define TXN_SHARD_SERVER_H_

#include <functional>
#include <memory>

#include "paxos/state_machine.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/commands.h"
#include "txn/shard_options.h"

namespace paxos {
class Host;
}
namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}

namespace txn {

class ReplicaReads;
class Shard;
class ShardMap;

class ShardServer {
 public:
  ShardServer(runtime::World* world, truetime::TrueTime* truetime, const ShardMap* map,
              ShardServerOptions options);
  // Close() has ended, or the node has crashed.
  ~ShardServer();
  ShardServer(const ShardServer&) = delete;
  ShardServer& operator=(const ShardServer&) = delete;

  // For the host. `founding`: what a group is created with, the same at all founding members; {}
  // where that is not known.
  paxos::StateMachineFactory Factory(std::function<ShardDescriptor(storage::GroupId)> founding);
  // Null while none is open: before it is closed as well.
  void SetHost(paxos::Host* host);
  // Ends all work. The host is closed.
  runtime::Task<void> Close();

  ReplicaReads& reads();
  // Null if there is none here. For views; good until the next wait.
  Shard* FindShard(storage::GroupId group);

 private:
  class Core;
  const std::unique_ptr<Core> core_;
};

}  // namespace txn

#endif  // TXN_SHARD_SERVER_H_
