// LedgerNode: a program that uses all of floor 0. It keeps entries in LevelDB, takes them by calls
// from its peers, and acknowledges one only after it was synced.
//
// Place: the program of every node of the runtime scenario. It stands for what the floors above do:
//        calls with deadlines, one-way messages, blocking work, tasks that a crash destroys
//        anywhere.
#ifndef SIMULATION_LEDGER_NODE_H_
#define SIMULATION_LEDGER_NODE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/network.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"

namespace leveldb {
class DB;
}

namespace simulation {

// What the scenario knows and no node does. Outlives the nodes.
struct LedgerTruth {
  // By node: the entries whose writer was told that they are safe.
  std::map<runtime::NodeId, std::set<std::string>> acknowledged;
  uint64_t next_entry = 1;
  // By sender and receiver: how many messages were given to the network, over all incarnations.
  std::map<std::pair<runtime::NodeId, runtime::NodeId>, uint64_t> messages_sent;
  // Handlers that wait for ever and are still waiting, by node and incarnation.
  std::map<std::pair<runtime::NodeId, uint64_t>, int> idlers;
  // When each node was last seen to stand still.
  std::map<runtime::NodeId, runtime::MonotonicTime> last_paused;
  // Nodes start nothing new any more.
  bool quiet = false;
};

class LedgerNode final : public simulated::NodeProgram {
 public:
  LedgerNode(simulated::Universe* universe, simulated::NodeWorld* world, LedgerTruth* truth,
             std::vector<runtime::NodeId> peers);
  ~LedgerNode() override;

  // Whether the store is open and entries are taken.
  bool serving() const { return store_ != nullptr && !failed_; }
  // Calls to other nodes that were answered with OK by this incarnation.
  uint64_t calls_answered() const { return calls_answered_; }
  uint64_t messages_received() const { return messages_received_; }

 private:
  runtime::Task<void> Main();
  // Opens the store, and holds what it recovered against what was acknowledged.
  runtime::Task<absl::Status> Open();
  runtime::Task<absl::StatusOr<std::string>> Append(runtime::NodeId caller, std::string entry);
  // Waits until its caller gives up.
  runtime::Task<absl::StatusOr<std::string>> Idle(runtime::NodeId caller, std::string request);
  void TakeMessage(runtime::NodeId sender, const std::string& payload);

  // What it does to its peers, over and over.
  runtime::Task<void> AppendElsewhere();
  runtime::Task<void> CallIdlers();
  runtime::Task<void> SendMessages();

  // A node whose disk failed under it is unsure of what it holds, so it starts again from what is
  // there.
  void GiveUp(const absl::Status& why);
  // Lets a random time pass. False when the node is to stop.
  runtime::Task<bool> Rest(runtime::Duration mean);
  runtime::NodeId SomePeer();

  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
  LedgerTruth& truth_;
  const std::vector<runtime::NodeId> peers_;
  std::unique_ptr<leveldb::DB> store_;
  bool failed_ = false;
  uint64_t calls_answered_ = 0;
  uint64_t messages_received_ = 0;
  std::vector<runtime::Network::Registration> registrations_;
  runtime::TaskScope scope_;
};

}  // namespace simulation

#endif  // SIMULATION_LEDGER_NODE_H_
