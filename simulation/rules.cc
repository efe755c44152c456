#include "simulation/rules.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace simulation {

const std::vector<RuleSwitch>& RuleSwitches() {
  static const auto* const switches = new std::vector<RuleSwitch>{
      {"TT-BOUND", "truetime",
       "the interval does not grow between readings: true time leaves it (TT-CONTAINS)"},
      {"TT-INTERSECT", "truetime", "a poor reading makes a good interval wide"},
      {"TT-MONOTONE", "truetime", "the interval goes back when a reading is better than the last"},
      {"TT-CONTRADICTION", "truetime-liar", "a clock beyond its bound is never found"},
      {"PX-LEASE", "paxos", "votes count from when they came: two replicas lead (PX-DISJOINT)"},
      {"PX-WITHIN-LEASE", "paxos", "a leader gives timestamps that its successor may give too"},
      {"PX-ABDICATE", "paxos", "a successor leads before its predecessor's timestamps have passed"},
      {"PX-STALL", "paxos", "a leader whose disk stands still keeps the lead, and nobody serves"},
      {"PX-CEILING", "paxos-liar", "after a false clock, a write changes what was called safe"},
      {"PX-MONOTONE", "paxos-liar", "timestamps go back from one leader to the next"},
      {"TX-COMMIT-WAIT", "bank", "a commit is shown before its timestamp has passed"},
      {"TX-SAFE-TIME", "bank", "a commit appears below a timestamp at which was read (stale-read)"},
      {"TX-LOCKS", "bank", "the older waits for the younger, too: transactions wait in a circle"},
      {"TX-EPOCH", "append", "a commit rests on locks that a new leader gave to somebody else"},
  };
  return *switches;
}

absl::Status CheckRuleHasSwitch(absl::string_view rule) {
  for (const RuleSwitch& known : RuleSwitches()) {
    if (rule == known.name) return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "there is no switch for a rule '", std::string(rule), "': isochron sim --list names them"));
}

}  // namespace simulation
