// What clients of the registers, and operators of their groups, ask nodes by call, and what they
// answer. As text, so that a trace can be read.
//
// An error of paxos/errors.h crosses the network as what it means to the caller: who may try again,
// and where.
#ifndef SIMULATION_REGISTER_PROTOCOL_H_
#define SIMULATION_REGISTER_PROTOCOL_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "paxos/errors.h"
#include "runtime/time.h"
#include "simulation/register_command.h"
#include "storage/ids.h"

namespace simulation {

inline constexpr char kRegisterCall[] = "/isochron.simulation.Register/Ask";

enum class RegisterAsk : uint8_t {
  kCommand,     // A write or compare-and-set, at a timestamp not before now and `offset`.
  kRead,        // The newest value, at the leader.
  kReadAt,      // The value `offset` ago, or at the last safe time if 0; at any replica.
  kReadPinned,  // The value as of now, at the leader, who promises that it stays so.
  kMembers,     // Who they are, as the replica knows them: "replica:node:v" or ":l" each.
  kAddLearner,  // On node `id`.
  kPromote,     // Replica `id`; also the next two.
  kRemove,
  kAbdicate,
};

struct RegisterRequest {
  RegisterAsk ask = RegisterAsk::kRead;
  storage::GroupId group = {};
  runtime::Duration offset{};
  uint32_t id = 0;
  std::string key = {};
  RegisterCommand command = {};
};

struct RegisterReply {
  bool ok = true;
  // If not ok.
  paxos::Retry retry = paxos::Retry::kNever;
  runtime::NodeId leader;  // 0: not known.
  // If ok.
  storage::Slot slot;            // Of a command.
  runtime::Timestamp timestamp;  // Of a command, of the value that was read, or of the read.
  RegisterResult result;         // Of a command; `found` is what a read gave.
  std::string text;              // Members; or why not.
};

std::string EncodeRequest(const RegisterRequest& request);
absl::StatusOr<RegisterRequest> DecodeRequest(absl::string_view text);
std::string EncodeReply(const RegisterReply& reply);
absl::StatusOr<RegisterReply> DecodeReply(absl::string_view text);

// What `error` of paxos/ means to a caller.
RegisterReply Refusal(const absl::Status& error);
RegisterReply Refusal(paxos::Retry retry, absl::string_view why);

}  // namespace simulation

#endif  // SIMULATION_REGISTER_PROTOCOL_H_
