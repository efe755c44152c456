#include "simulation/campaign.h"

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace simulation {
namespace {

// FNV-1a over the bytes of `value`.
uint64_t Fold(uint64_t hash, uint64_t value) {
  for (int byte = 0; byte < 8; ++byte) {
    hash = (hash ^ ((value >> (8 * byte)) & 0xff)) * 0x100000001b3;
  }
  return hash;
}

SeedResult RunOnceOrTwice(const Scenario& scenario, uint64_t seed, const CampaignOptions& options) {
  SeedResult result = RunSeed(scenario, seed, options.without, nullptr);
  if (!options.twice || !result.violation.ok()) return result;
  const SeedResult again = RunSeed(scenario, seed, options.without, nullptr);
  if (again.hash != result.hash) {
    result.violation = absl::InternalError(absl::StrFormat(
        "determinism: the same seed gave hash %016x, then %016x", result.hash, again.hash));
  }
  return result;
}

}  // namespace

CampaignResult RunCampaign(const Scenario& scenario, const CampaignOptions& options) {
  CampaignResult campaign;
  campaign.hash = 0xcbf29ce484222325;
  for (uint64_t seed = options.first_seed;; ++seed) {
    SeedResult result = RunOnceOrTwice(scenario, seed, options);
    ++campaign.seeds;
    campaign.events += result.events;
    campaign.simulated += result.simulated;
    campaign.hash = Fold(campaign.hash, result.hash);
    for (const auto& [probe, count] : result.probes) campaign.probes[probe] += count;
    const bool stop = options.on_seed && !options.on_seed(result);
    if (!result.violation.ok()) campaign.failure = std::move(result);
    if (stop || campaign.failure.has_value() || seed == options.last_seed) return campaign;
  }
}

}  // namespace simulation
