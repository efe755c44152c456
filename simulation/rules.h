// The protocol rules that can be switched off in the simulator, to see what each is good for.
#ifndef SIMULATION_RULES_H_
#define SIMULATION_RULES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace simulation {

struct RuleSwitch {
  const char* name;      // As in docs/protocol.md.
  const char* scenario;  // The one that shows it.
  const char* lets_in;   // What goes wrong without it, in a line.
};

const std::vector<RuleSwitch>& RuleSwitches();

// INVALID_ARGUMENT, with a sentence, if there is no such switch.
absl::Status CheckRuleHasSwitch(absl::string_view rule);

}  // namespace simulation

#endif  // SIMULATION_RULES_H_
