// RegisterClient: one client of the registers. It tries again where paxos/errors.h allows it, and
// records what it was told: also that nobody knows what came of a write.
//
// Tells the truth (GroupTruth) of each answer that it got, which fails the universe if the answer
// cannot be. On one loop of one node; a crash of that node leaves its operation open for ever.
#ifndef SIMULATION_REGISTER_CLIENT_H_
#define SIMULATION_REGISTER_CLIENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "runtime/simulated/universe.h"
#include "runtime/task.h"
#include "runtime/world.h"
#include "simulation/paxos_truth.h"
#include "simulation/register_protocol.h"

namespace simulation {

struct RegisterClientOptions {
  uint64_t id = 0;
  std::vector<runtime::NodeId> nodes;  // Who may have replicas.
  int keys = 3;                        // For each group.
  // From one operation to the next; exponentially distributed.
  runtime::Duration rest{std::chrono::milliseconds(80)};
  runtime::Duration call_timeout{std::chrono::milliseconds(600)};
  runtime::Duration operation_max{std::chrono::seconds(3)};
  // Values are as long as this at most.
  int64_t value_bytes_max = 200;
};

class RegisterClient {
 public:
  // All outlive it. `random` is for what it does.
  RegisterClient(simulated::Universe* universe, runtime::World* world, PaxosTruth* truth,
                 RegisterClientOptions options);

  // Works until the truth is quiet.
  runtime::Task<void> Run();

  // One write and one read of `group`, each until it has succeeded. The status is a cancellation's.
  runtime::Task<absl::Status> ProveAlive(storage::GroupId group);

  // Asks until there is an answer that leaves no doubt, or `deadline`. None: nobody knows what came
  // of it. `harmless`: asking twice does no harm.
  runtime::Task<std::optional<RegisterReply>> Ask(RegisterRequest request, bool harmless,
                                                  runtime::MonotonicTime deadline);
  // Of an operation that begins now.
  runtime::MonotonicTime Deadline() const;

 private:
  runtime::Task<void> DoSomething();
  runtime::Task<bool> Command(storage::GroupId group, RegisterCommand command);
  runtime::Task<bool> Read(storage::GroupId group, std::string key);
  runtime::Task<void> ReadAsOf(storage::GroupId group, std::string key);
  RegisterCommand SomeCommand(storage::GroupId group, std::string key);
  runtime::Duration SomeOffset();
  std::string NewValue();
  runtime::NodeId SomeNode();
  void Turn(const RegisterReply& refusal);
  static std::string HistoryKey(storage::GroupId group, absl::string_view key);

  simulated::Universe& universe_;
  runtime::World& world_;
  PaxosTruth& truth_;
  const RegisterClientOptions options_;
  runtime::NodeId target_;  // Who is asked next; 0: anybody.
  // The last value that it saw of each register.
  std::map<std::pair<storage::GroupId, std::string>, RegisterValue> seen_;
};

}  // namespace simulation

#endif  // SIMULATION_REGISTER_CLIENT_H_
