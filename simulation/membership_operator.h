// MembershipOperator: who looks after the members of the groups, from a machine of its own. While
// there is unrest it changes them for the sake of it; in calm it brings every group to its size,
// with replacements for the replicas whose logs were lost, and leaves it there.
#ifndef SIMULATION_MEMBERSHIP_OPERATOR_H_
#define SIMULATION_MEMBERSHIP_OPERATOR_H_

#include <string>
#include <vector>

#include "paxos/kernel/configuration.h"
#include "runtime/simulated/universe.h"
#include "runtime/task_scope.h"
#include "simulation/paxos_truth.h"
#include "simulation/register_client.h"

namespace simulation {

struct MembershipOperatorOptions {
  RegisterClientOptions client;
  size_t voters = 3;  // Of every group.
  runtime::Duration rest{std::chrono::milliseconds(700)};
};

class MembershipOperator final : public simulated::NodeProgram {
 public:
  // All outlive it. While `*calm` is false it makes unrest.
  MembershipOperator(simulated::Universe* universe, simulated::NodeWorld* world, PaxosTruth* truth,
                     const bool* calm, MembershipOperatorOptions options);

  // Whether a group has the members that it is to have, as far as the truth is known.
  static bool Settled(const simulated::Universe& universe, const PaxosTruth& truth,
                      storage::GroupId group, size_t voters);

 private:
  runtime::Task<void> Run();
  runtime::Task<void> LookAfter(storage::GroupId group);
  // What to do about `members`; a request to read them if nothing.
  RegisterRequest Decide(storage::GroupId group, const std::vector<paxos::Member>& members);
  RegisterRequest Repair(storage::GroupId group, const std::vector<paxos::Member>& members);
  RegisterRequest Stir(storage::GroupId group, const std::vector<paxos::Member>& members);
  // A node without a replica of the group; 0 if all have one.
  runtime::NodeId FreeNode(const std::vector<paxos::Member>& members);

  simulated::Universe& universe_;
  simulated::NodeWorld& world_;
  PaxosTruth& truth_;
  const bool& calm_;
  const MembershipOperatorOptions options_;
  RegisterClient client_;
  runtime::TaskScope scope_;
};

}  // namespace simulation

#endif  // SIMULATION_MEMBERSHIP_OPERATOR_H_
