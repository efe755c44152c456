// What the command line understands, and the sentence it says where it does not.
#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using runtime::Duration;
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace): literals only.

TEST(ParseTest, Durations) {
  const struct {
    const char* text;
    Duration expected;
  } kGood[] = {{"0", 0ns},   {"0ms", 0ns}, {"15ns", 15ns}, {"1us", 1us},  {"2.5ms", 2500us},
               {"10s", 10s}, {"3m", 3min}, {"1h", 1h},     {".5s", 500ms}};
  for (const auto& [text, expected] : kGood) {
    const absl::StatusOr<Duration> parsed = ParseDuration(text);
    ASSERT_TRUE(parsed.ok()) << text << ": " << parsed.status();
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(ParseTest, EachWrongDurationGetsItsSentence) {
  const struct {
    const char* text;
    const char* sentence;
  } kBad[] = {
      {"-1ms", "'-1ms' is negative: a duration is not"},
      {"10", "'10' has no unit: write 10ms, 10us or 10s"},
      {"abc", "'abc' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"", "'' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"ms", "'ms' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"1.2.3ms", "'1.2.3ms' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"1e3ms", "'1e3ms' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"1 ms", "'1 ms' is not a duration: write for example 0, 500us, 2.5ms or 10s"},
      {"9000h", "'9000h' is more than a year"},
  };
  for (const auto& [text, sentence] : kBad) {
    EXPECT_EQ(ParseDuration(text).status().message(), sentence);
  }
}

TEST(ParseTest, ListsOfDurations) {
  EXPECT_THAT(*ParseDurations("0,1ms,10ms"), testing::ElementsAre(0ns, 1ms, 10ms));
  EXPECT_FALSE(ParseDurations("0,,1ms").ok());
  EXPECT_FALSE(ParseDurations("").ok());
}

TEST(ParseTest, Seeds) {
  EXPECT_EQ(ParseSeeds("7")->first, 7u);
  EXPECT_EQ(ParseSeeds("7")->last, 7u);
  EXPECT_EQ(ParseSeeds("1-200")->last, 200u);
  for (const char* wrong : {"", "a", "1-", "-5", "1-2-3", "9-1", "1 - 2x"}) {
    EXPECT_FALSE(ParseSeeds(wrong).ok()) << wrong;
  }
}

TEST(ParseTest, NumbersForPeople) {
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(12), "12");
  EXPECT_EQ(FormatTimestamp(runtime::Timestamp(1'700'000'000'123'456'789)),
            "2023-11-14 22:13:20.123456789");
}

}  // namespace
}  // namespace cli
