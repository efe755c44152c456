// PaxosNode: a node with replicas of groups of registers: a TrueTime, a Host, and the service that
// clients ask. It does what the people who run a database do as well: a node that lost its log is
// wiped and begins anew, and its replicas are to be replaced.
#ifndef SIMULATION_PAXOS_NODE_H_
#define SIMULATION_PAXOS_NODE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "paxos/host.h"
#include "paxos/kernel/moment.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"
#include "simulation/paxos_truth.h"
#include "simulation/register_client.h"
#include "simulation/register_service.h"
#include "simulation/tapped_world.h"
#include "truetime/clock_exchange.h"
#include "truetime/truetime.h"

namespace simulation {

struct PaxosNodeOptions {
  std::vector<runtime::NodeId> nodes;  // Of the cluster, this one included.
  paxos::HostOptions host;
  truetime::TrueTimeOptions truetime;
  // Whether the nodes compare their clocks (TT-CONTRADICTION).
  bool compares_clocks = true;
  // From one look at all that its replicas hold to the next; exponentially distributed.
  runtime::Duration scrub_every{std::chrono::seconds(3)};
};

class PaxosNode final : public simulated::NodeProgram {
 public:
  // All outlive it.
  PaxosNode(simulated::Universe* universe, simulated::NodeWorld* world, PaxosTruth* truth,
            PaxosNodeOptions options);
  ~PaxosNode() override;

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

  // Holds what its replicas have against the truth, and gives it to `contents` unless that is null.
  // Skips those that have nothing now.
  using Contents = std::map<std::pair<storage::GroupId, runtime::NodeId>, GroupContents>;
  runtime::Task<void> Scrub(Contents* contents);

 private:
  runtime::Task<void> Main();
  runtime::Task<absl::Status> Open();
  // The replicas that are to be here must be, and know what they said.
  void CheckReplicas();
  runtime::Task<absl::Status> CreateGroups();
  // Until the host is to be opened anew.
  runtime::Task<void> Watch();
  runtime::Task<void> ScrubNowAndThen();
  runtime::Task<void> ScrubGroup(storage::GroupId group, Contents* contents);
  // The log cannot be used any more.
  void LostLog(const absl::Status& why);
  // Starts the process again if its files refuse everything from now on, since LevelDB closed a log
  // that could not be synced (World::files()).
  void StartAgainIfRefused(const absl::Status& status);

  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
  PaxosTruth& truth_;
  const PaxosNodeOptions options_;
  TappedWorld tapped_;
  truetime::TrueTime truetime_;
  truetime::ClockExchange clock_exchange_;
  std::unique_ptr<paxos::Host> host_;
  RegisterService service_;
  uint64_t hosts_ = 0;
  bool wipe_ = false;
  bool reopen_ = false;
  runtime::TaskScope scope_;
};

// The program of `node`; null while it is down, or if it is no such node.
PaxosNode* FindPaxosNode(const simulated::NodeWorld& node);

}  // namespace simulation

#endif  // SIMULATION_PAXOS_NODE_H_
