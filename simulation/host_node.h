// HostNode: a node with a TrueTime and a Host, as the scenarios of Paxos and of transactions have it.
// It does what the people who run a database do as well: it opens the host, creates the groups of
// the beginning, opens the host anew after trouble, and wipes a node that lost its log.
//
// A program derives from it, calls Begin() at the end of its constructor, and DropHost() in its
// destructor, since the host ends before what its groups' machines stand on.
#ifndef SIMULATION_HOST_NODE_H_
#define SIMULATION_HOST_NODE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "paxos/host.h"
#include "paxos/kernel/configuration.h"
#include "paxos/kernel/moment.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"
#include "truetime/clock_exchange.h"
#include "truetime/truetime.h"

namespace simulation {

struct HostNodeOptions {
  std::vector<runtime::NodeId> nodes;  // Of the cluster, this one included.
  paxos::HostOptions host;
  truetime::TrueTimeOptions truetime;
  // Whether the nodes compare their clocks (TT-CONTRADICTION).
  bool compares_clocks = true;
};

// The groups of the beginning.
struct Foundings {
  std::map<storage::GroupId, paxos::Configuration> groups;
  // The replicas that were made, and must not be made again.
  std::set<std::pair<storage::GroupId, runtime::NodeId>> created;
};

class HostNode : public simulated::NodeProgram {
 public:
  ~HostNode() override;

  // Null while it is not open.
  paxos::Host* host() const { return host_.get(); }
  truetime::TrueTime& truetime() { return truetime_; }
  // What time it is, as its replicas see it.
  paxos::Moment Now();
  // How often a host was opened by this incarnation.
  uint64_t hosts() const { return hosts_; }
  // Whether all is well with its clock, its log and its store.
  bool healthy() const;
  // How it and its replicas stand, for people.
  std::string Describe() const;
  // Ends the host as a planned stop does, and opens it again.
  void Reopen() { reopen_ = true; }
  void Spawn(runtime::Task<void> task) { scope_.Spawn(std::move(task)); }
  runtime::NodeId node() const { return world_.node(); }

 protected:
  // All outlive it. `of_host` is the world that the host is opened in: `world`, or one around it.
  HostNode(simulated::Universe* universe, simulated::NodeWorld* world, runtime::World* of_host,
           Foundings* foundings, HostNodeOptions options);

  void Begin();
  // No task of the node runs any more.
  void DropHost() { host_.reset(); }

  virtual paxos::StateMachineFactory Factory() = 0;
  // The host is open; its groups of the beginning may not be there yet.
  virtual void Opened() {}
  // The host is about to be closed.
  virtual void Closing() {}
  // The log cannot be used any more. The node will be wiped.
  virtual void LostLog(const absl::Status& why) = 0;

  simulated::Universe& universe() const { return universe_; }
  simulated::NodeWorld& world() const { return world_; }
  const std::unique_ptr<paxos::Host>* host_place() const { return &host_; }

 private:
  runtime::Task<void> Main();
  runtime::Task<absl::Status> Open();
  runtime::Task<absl::Status> CreateGroups();
  // Until the host is to be opened anew.
  runtime::Task<void> Watch();
  void WillWipe(const absl::Status& why);
  // Starts the process again if its files refuse everything from now on, since LevelDB closed a log
  // that could not be synced (World::files()).
  void StartAgainIfRefused(const absl::Status& status);

  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
  runtime::World& of_host_;
  Foundings& foundings_;
  const HostNodeOptions options_;
  truetime::TrueTime truetime_;
  truetime::ClockExchange clock_exchange_;
  std::unique_ptr<paxos::Host> host_;
  uint64_t hosts_ = 0;
  bool wipe_ = false;
  bool reopen_ = false;
  runtime::TaskScope scope_;
};

// The program of `node`; null while it is down, or if it is no such node.
HostNode* FindHostNode(const simulated::NodeWorld& node);

}  // namespace simulation

#endif  // SIMULATION_HOST_NODE_H_
