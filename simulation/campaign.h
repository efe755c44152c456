// Campaign: one scenario over a range of seeds.
#ifndef SIMULATION_CAMPAIGN_H_
#define SIMULATION_CAMPAIGN_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "runtime/time.h"
#include "simulation/scenario.h"

namespace simulation {

struct CampaignOptions {
  uint64_t first_seed = 1;
  uint64_t last_seed = 1;
  std::set<std::string> without;  // Protocol rules switched off.
  bool twice = false;             // Runs each seed twice and fails where the hashes differ.
  // Hears of each seed that ended; false stops the campaign. May be empty.
  std::function<bool(const SeedResult&)> on_seed;
};

struct CampaignResult {
  uint64_t seeds = 0;  // Run, the failing one included.
  uint64_t events = 0;
  runtime::Duration simulated{};
  uint64_t hash = 0;  // Over the seeds' hashes, in order.
  std::map<std::string, uint64_t> probes;
  std::optional<SeedResult> failure;  // The first seed that failed; the campaign ends with it.
};

CampaignResult RunCampaign(const Scenario& scenario, const CampaignOptions& options);

}  // namespace simulation

#endif  // SIMULATION_CAMPAIGN_H_
