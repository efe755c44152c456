// The scenario files of tests/paxos/scenarios, a test each. With ISOCHRON_REWRITE set they are
// written anew with what happened; the difference is for people to judge.
#include "tests/scenario.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/paxos/kernel/story.h"

namespace paxos {
namespace {

std::vector<std::string> Files() { return absl::StrSplit(ISOCHRON_SCENARIOS, ' '); }

class Scenario : public testing::TestWithParam<std::string> {};

TEST_P(Scenario, IsToldAsItWas) {
  const std::string path = std::string(ISOCHRON_SCENARIO_FOLDER) + "/" + GetParam() + ".txt";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::stringstream before;
  before << file.rdbuf();
  Story story;
  const std::string now =
      tests::RetellScenario(before, [&](const std::string& line) { return story.Do(line); });
  EXPECT_FALSE(story.failed()) << "a rule is broken";
  if (std::getenv("ISOCHRON_REWRITE") != nullptr) {
    std::ofstream(path) << now;
  } else {
    EXPECT_EQ(now, before.str()) << "ISOCHRON_REWRITE=1 writes it anew";
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Scenario, testing::ValuesIn(Files()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace paxos
