// RegisterCommand: what clients want done to a register of a group, as it stands in the group's
// log, and what comes of it. As text, so that a trace can be read: "cas k3 17 18".
#ifndef SIMULATION_REGISTER_COMMAND_H_
#define SIMULATION_REGISTER_COMMAND_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "storage/ids.h"
#include "storage/key_range.h"
#include "workload/register_history.h"

namespace simulation {

using workload::RegisterValue;

// Keys and values are words without blanks.
struct RegisterCommand {
  workload::RegisterAction action = workload::RegisterAction::kWrite;  // Not a read.
  std::string key = {};
  RegisterValue written = {};
  RegisterValue expected = {};  // Of a compare-and-set.

  friend bool operator==(const RegisterCommand&, const RegisterCommand&) = default;
};

std::string EncodeCommand(const RegisterCommand& command);
absl::StatusOr<RegisterCommand> DecodeCommand(absl::string_view text);

// "-" is no value.
std::string EncodeValue(const RegisterValue& value);
RegisterValue DecodeValue(absl::string_view text);

struct RegisterResult {
  bool took_effect = false;
  RegisterValue found = {};  // Before the command.

  friend bool operator==(const RegisterResult&, const RegisterResult&) = default;
};

// What `command` comes to where `found` is the value.
RegisterResult Perform(const RegisterCommand& command, RegisterValue found);

// The keys of a group's rows, and one of them.
storage::KeyRange RowsOf(storage::GroupId group);
storage::Key RowKey(storage::GroupId group, absl::string_view key);

}  // namespace simulation

#endif  // SIMULATION_REGISTER_COMMAND_H_
