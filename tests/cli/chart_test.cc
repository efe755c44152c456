// The chart of columns.
#include "cli/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using ::testing::ElementsAre;

TEST(ChartTest, ColumnsGrowFromBelowInEighths) {
  EXPECT_THAT(DrawColumns({0, 0.5, 1, 1.5, 2}, 2, 5, 2), ElementsAre("   ▄█",  //
                                                                     " ▄███"));
}

TEST(ChartTest, FewValuesStandAtTheRightAndOldOnesFallOffTheLeft) {
  EXPECT_THAT(DrawColumns({1}, 1, 3, 1), ElementsAre("  █"));
  EXPECT_THAT(DrawColumns({1, 0, 1}, 1, 2, 1), ElementsAre(" █"));
}

TEST(ChartTest, ASmallValueIsSeenAndALargeOneIsCut) {
  EXPECT_THAT(DrawColumns({0.001, 99}, 1, 2, 1), ElementsAre("▁█"));
}

TEST(ChartTest, AxesEndAtRoundNumbers) {
  const struct {
    double value;
    double top;
  } kCases[] = {{0, 1}, {1, 1}, {1.1, 2}, {3, 5}, {7, 10}, {0.03, 0.05}, {480'000, 500'000}};
  for (const auto& [value, top] : kCases) EXPECT_DOUBLE_EQ(RoundUpForAxis(value), top) << value;
}

}  // namespace
}  // namespace cli
