// RegisterService: answers clients of the registers, and operators, at one node. It uses the groups
// of its host as the floors above Paxos do.
#ifndef SIMULATION_REGISTER_SERVICE_H_
#define SIMULATION_REGISTER_SERVICE_H_

#include <memory>
#include <string>

#include "paxos/group.h"
#include "paxos/host.h"
#include "runtime/network.h"
#include "runtime/task.h"
#include "runtime/world.h"
#include "simulation/register_protocol.h"
#include "truetime/truetime.h"

namespace simulation {

class RegisterService {
 public:
  // All outlive it. `*host` is null while none is open.
  RegisterService(runtime::World* world, truetime::TrueTime* truetime,
                  const std::unique_ptr<paxos::Host>* host);

 private:
  using GroupPtr = std::shared_ptr<paxos::Group>;

  runtime::Task<absl::StatusOr<std::string>> Ask(runtime::NodeId caller, std::string text);
  runtime::Task<RegisterReply> Answer(RegisterRequest request);
  runtime::Task<RegisterReply> Command(GroupPtr group, RegisterRequest request);
  runtime::Task<RegisterReply> Read(GroupPtr group, RegisterRequest request);
  runtime::Task<RegisterReply> ReadAt(GroupPtr group, RegisterRequest request);
  runtime::Task<RegisterReply> ReadPinned(GroupPtr group, RegisterRequest request);
  // The value at `at`, which is safe at this replica.
  runtime::Task<RegisterReply> ReadVersion(GroupPtr group, std::string key, runtime::Timestamp at);
  runtime::Task<RegisterReply> Change(GroupPtr group, RegisterRequest request);
  static RegisterReply Members(const paxos::Group& group);

  runtime::World& world_;
  truetime::TrueTime& truetime_;
  const std::unique_ptr<paxos::Host>& host_;
  runtime::Network::Registration registration_;
};

}  // namespace simulation

#endif  // SIMULATION_REGISTER_SERVICE_H_
