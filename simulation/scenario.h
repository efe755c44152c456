// Scenario: a story that the simulator can tell in as many ways as there are seeds.
//
// A scenario sets up a cluster in a Universe, lets chaos reign (safety: nothing wrong is ever
// seen), heals it and demands that all goes on (liveness). What goes wrong it reports with
// Universe::Fail(), naming the rule.
#ifndef SIMULATION_SCENARIO_H_
#define SIMULATION_SCENARIO_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"

namespace simulated {
class Universe;
class TraceSink;
}  // namespace simulated

namespace simulation {

struct Scenario {
  const char* name;
  const char* summary;  // One line, for people.
  void (*run)(simulated::Universe* universe);
};

// All scenarios, in the order of the floors they try.
const std::vector<Scenario>& Scenarios();

// Null if there is none of that name.
const Scenario* FindScenario(absl::string_view name);

// What one seed did.
struct SeedResult {
  uint64_t seed = 0;
  uint64_t hash = 0;  // Over every event: equal for equal seeds, in every build.
  uint64_t events = 0;
  runtime::Duration simulated{};  // Virtual time.
  absl::Status violation;         // The first invariant that broke.
  std::map<std::string, uint64_t> probes;
};

// Tells the story of one seed. `without` names protocol rules that are switched off. `trace` may be
// null.
SeedResult RunSeed(const Scenario& scenario, uint64_t seed, const std::set<std::string>& without,
                   simulated::TraceSink* trace);

}  // namespace simulation

#endif  // SIMULATION_SCENARIO_H_
