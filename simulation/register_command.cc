#include "simulation/register_command.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace simulation {

using workload::RegisterAction;

std::string EncodeValue(const RegisterValue& value) { return value.value_or("-"); }

RegisterValue DecodeValue(absl::string_view text) {
  if (text == "-") return std::nullopt;
  return std::string(text);
}

std::string EncodeCommand(const RegisterCommand& command) {
  if (command.action == RegisterAction::kCompareAndSet) {
    return absl::StrCat("cas ", command.key, " ", EncodeValue(command.expected), " ",
                        EncodeValue(command.written));
  }
  return absl::StrCat("put ", command.key, " ", EncodeValue(command.written));
}

absl::StatusOr<RegisterCommand> DecodeCommand(absl::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  RegisterCommand command;
  if (words.size() == 3 && words[0] == "put") {
    command.key = words[1];
    command.written = DecodeValue(words[2]);
    return command;
  }
  if (words.size() == 4 && words[0] == "cas") {
    command.action = RegisterAction::kCompareAndSet;
    command.key = words[1];
    command.expected = DecodeValue(words[2]);
    command.written = DecodeValue(words[3]);
    return command;
  }
  return absl::InvalidArgumentError(absl::StrCat("not a command: '", std::string(text), "'"));
}

RegisterResult Perform(const RegisterCommand& command, RegisterValue found) {
  const bool fits = command.action != RegisterAction::kCompareAndSet || found == command.expected;
  return {.took_effect = fits, .found = std::move(found)};
}

storage::KeyRange RowsOf(storage::GroupId group) {
  // '0' follows '/'.
  return {absl::StrCat("g", group.value(), "/"), absl::StrCat("g", group.value(), "0")};
}

storage::Key RowKey(storage::GroupId group, absl::string_view key) {
  return absl::StrCat("g", group.value(), "/", std::string(key));
}

}  // namespace simulation
