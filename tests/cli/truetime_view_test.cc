// What `isochron truetime` shows.
#include "cli/truetime_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_join.h"

namespace cli {
namespace {

using runtime::Timestamp;
using ::testing::HasSubstr;
using ::testing::Not;

TrueTimePicture Synchronised() {
  TrueTimePicture picture;
  picture.source = "chrony";
  picture.interval =
      truetime::Interval::Around(Timestamp(1'700'000'000'000'000'000), runtime::Duration(400'000));
  picture.state = {truetime::ClockState::kSynchronised, runtime::MonotonicTime(5),
                   Timestamp(1'699'999'999'000'000'000), "the first reading"};
  picture.reading.emplace();
  picture.reading->detail.reference = "192.0.2.7";
  picture.reading->detail.stratum = 2;
  picture.epsilons = {100'000, 200'000, 300'000, 100'000};
  return picture;
}

std::string Screen(const TrueTimePicture& picture, int height = 50) {
  return absl::StrJoin(DrawScreen(picture, 60, height), "\n");
}

TEST(TrueTimeViewTest, TheScreenTellsStateIntervalSourceAndTheSawtooth) {
  const std::string screen = Screen(Synchronised());
  EXPECT_THAT(screen, HasSubstr("synchronised"));
  EXPECT_THAT(screen, HasSubstr("2023-11-14 22:13:19.999600000 UTC"));
  EXPECT_THAT(screen, HasSubstr("400 us"));
  EXPECT_THAT(screen, HasSubstr("follows 192.0.2.7, stratum 2"));
  EXPECT_THAT(screen, HasSubstr("█"));
  EXPECT_THAT(screen, HasSubstr("commit wait"));
}

TEST(TrueTimeViewTest, TheAxisIsForWhatIsSeen) {
  TrueTimePicture picture = Synchronised();
  picture.epsilons.assign(100, 90'000);
  picture.epsilons.front() = 9'000'000;  // Scrolled away: the screen has 60 columns.
  EXPECT_THAT(Screen(picture), HasSubstr(" 100 us "));
}

TEST(TrueTimeViewTest, ASmallScreenDropsTheExplanationsFirst) {
  EXPECT_THAT(Screen(Synchronised(), 20), Not(HasSubstr("commit wait")));
  EXPECT_THAT(Screen(Synchronised(), 20), HasSubstr("epsilon"));
}

TEST(TrueTimeViewTest, AClockWithoutAReadingSaysSoAndWhy) {
  TrueTimePicture picture;
  picture.source = "chrony";
  picture.failure = "nobody listens at /run/chrony/chronyd.sock";
  EXPECT_THAT(Screen(picture), HasSubstr("all of time"));
  EXPECT_THAT(Screen(picture), HasSubstr("nobody listens"));
}

TEST(TrueTimeViewTest, WarningsAndHistoryAreListed) {
  TrueTimePicture picture = Synchronised();
  picture.warnings = {"maxclockerror is 1 ppm"};
  picture.history = {
      {truetime::ClockState::kDisrupted, {}, Timestamp(0), "readings were disjoint"}};
  EXPECT_THAT(Screen(picture), HasSubstr("maxclockerror is 1 ppm"));
  EXPECT_THAT(Screen(picture), HasSubstr("readings were disjoint"));
}

TEST(TrueTimeViewTest, JsonHasIntegerNanoseconds) {
  const auto json = nlohmann::json::parse(ToJson(Synchronised()));
  EXPECT_EQ(json["earliest"], 1'699'999'999'999'600'000);
  EXPECT_EQ(json["latest"], 1'700'000'000'000'400'000);
  EXPECT_EQ(json["epsilon"], 400'000);
  EXPECT_EQ(json["since"], 1'699'999'999'000'000'000);
  EXPECT_EQ(json["state"], "synchronised");
  EXPECT_EQ(json["source"], "chrony");
  EXPECT_TRUE(json["warnings"].is_array());
}

}  // namespace
}  // namespace cli
