// The simulator itself: a campaign stops at what goes wrong, and finds what is not deterministic.
#include "simulation/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_replace.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"
#include "simulation/rules.h"

namespace simulation {
namespace {

using ::testing::HasSubstr;
using runtime::operator""ms;
using runtime::operator""s;

void FailAtSeedThree(simulated::Universe* universe) {
  universe->RunFor(1s);
  if (universe->seed() == 3) universe->Fail("it is the third");
}

TEST(CampaignTest, EndsWithTheFirstSeedThatFails) {
  const Scenario scenario{"third", "", FailAtSeedThree};
  CampaignOptions options;
  options.last_seed = 10;
  const CampaignResult result = RunCampaign(scenario, options);
  EXPECT_EQ(result.seeds, 3u);
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_EQ(result.failure->seed, 3u);
  EXPECT_THAT(std::string(result.failure->violation.message()), HasSubstr("it is the third"));
}

// The canary: what it does depends on where the heap put its objects. A run keeps them, so a second
// one in the same process gets others.
void GoByAddress(simulated::Universe* universe) {
  static std::vector<std::unique_ptr<char[]>> kept;
  std::map<const char*, int> by_address;
  for (int i = 0; i < 8; ++i) {
    // Of two sizes, so that their order in memory is not that in which they were made.
    kept.push_back(std::make_unique<char[]>(i % 2 == 0 ? 16 : 4096 << (kept.size() % 3)));
    by_address[kept.back().get()] = i;
  }
  for (const auto& [address, number] : by_address) {
    universe->Note(static_cast<uint64_t>(number) * reinterpret_cast<uintptr_t>(address));
  }
}

TEST(CampaignTest, FindsAnAddressThatDecides) {
  const Scenario canary{"canary", "", GoByAddress};
  CampaignOptions options;
  options.last_seed = 20;
  options.twice = true;
  const CampaignResult result = RunCampaign(canary, options);
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_THAT(std::string(result.failure->violation.message()), HasSubstr("determinism"));
}

TEST(CampaignTest, TheSameSeedsGiveTheSameHash) {
  for (const Scenario& scenario : Scenarios()) {
    CampaignOptions options;
    options.last_seed = 5;
    options.twice = true;
    const CampaignResult result = RunCampaign(scenario, options);
    EXPECT_FALSE(result.failure.has_value())
        << scenario.name << " seed " << result.failure->seed << ": " << result.failure->violation;
  }
}

class RuleSwitchTest : public ::testing::TestWithParam<RuleSwitch> {};

// A rule whose absence nobody notices is not tested: each switch must be caught within 500 seeds.
TEST_P(RuleSwitchTest, ARuleThatIsSwitchedOffIsMissed) {
  const RuleSwitch rule = GetParam();
  CampaignOptions options;
  options.last_seed = 500;
  options.without = {rule.name};
  const Scenario* const scenario = FindScenario(rule.scenario);
  ASSERT_NE(scenario, nullptr);
  const CampaignResult result = RunCampaign(*scenario, options);
  ASSERT_TRUE(result.failure.has_value()) << "nobody misses " << rule.name;
  std::printf("without %-18s seed %3d: %s\n", rule.name, static_cast<int>(result.failure->seed),
              std::string(result.failure->violation.message()).c_str());
}

INSTANTIATE_TEST_SUITE_P(Campaign, RuleSwitchTest, ::testing::ValuesIn(RuleSwitches()),
                         [](const auto& info) {
                           return absl::StrReplaceAll(info.param.name, {{"-", "_"}});
                         });

TEST(RuleSwitchesTest, UnknownRulesAreRefused) {
  EXPECT_TRUE(CheckRuleHasSwitch("TT-BOUND").ok());
  EXPECT_EQ(CheckRuleHasSwitch("TT-NOSUCH").code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace simulation
