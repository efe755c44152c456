#include "truetime/kernel/marzullo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/random.h"

namespace truetime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Interval Of(int64_t earliest, int64_t latest) { return {Timestamp(earliest), Timestamp(latest)}; }

TEST(Marzullo, FindsWhereMostOverlap) {
  // The example of the literature: 10 +- 2, 12 +- 1, 11 +- 1 have [11, 12] in common.
  const Overlap overlap = LargestOverlap({Of(8, 12), Of(11, 13), Of(10, 12)});
  EXPECT_EQ(overlap.count, 3u);
  EXPECT_EQ(overlap.common, Of(11, 12));
  // 8 to 12 agrees with none of the other two in one point: the earliest pair wins.
  const Overlap pairs = LargestOverlap({Of(8, 12), Of(11, 13), Of(14, 15)});
  EXPECT_EQ(pairs.count, 2u);
  EXPECT_EQ(pairs.common, Of(11, 12));
}

TEST(Marzullo, EndsAreIncluded) {
  const Overlap overlap = LargestOverlap({Of(1, 5), Of(5, 9)});
  EXPECT_EQ(overlap.count, 2u);
  EXPECT_EQ(overlap.common, Of(5, 5));
}

TEST(Marzullo, NothingComesOfNothing) {
  EXPECT_EQ(LargestOverlap({}).count, 0u);
  EXPECT_THAT(PointsInAtLeast({}, 1), IsEmpty());
}

TEST(Marzullo, MajorityPointsNeedNotLieTogether) {
  EXPECT_THAT(PointsInAtLeast({Of(0, 10), Of(0, 2), Of(8, 10)}, 2),
              ElementsAre(Of(0, 2), Of(8, 10)));
}

TEST(Marzullo, OpenEndsAreIntervalsToo) {
  const Interval from_five = {Timestamp(5), Timestamp::Max()};
  EXPECT_THAT(PointsInAtLeast({from_five, Interval(), Of(0, 7)}, 3), ElementsAre(Of(5, 7)));
}

TEST(Marzullo, AgreesWithCountingEveryPoint) {
  runtime::Random random(7);
  constexpr int64_t kPoints = 30;
  for (int round = 0; round < 5000; ++round) {
    std::vector<Interval> intervals;
    for (int64_t n = random.Uniform(1, 8); n > 0; --n) {
      const int64_t begin = random.Uniform(0, kPoints - 1);
      intervals.push_back(Of(begin, random.Uniform(begin, kPoints - 1)));
    }
    std::vector<size_t> counts(kPoints);
    for (int64_t point = 0; point < kPoints; ++point) {
      for (const Interval& interval : intervals) {
        if (interval.Contains(Timestamp(point))) ++counts[static_cast<size_t>(point)];
      }
    }
    const Overlap overlap = LargestOverlap(intervals);
    const size_t most = *std::max_element(counts.begin(), counts.end());
    ASSERT_EQ(overlap.count, most);
    const auto first = std::find(counts.begin(), counts.end(), most) - counts.begin();
    ASSERT_EQ(overlap.common.earliest, Timestamp(first));
    for (Timestamp at = overlap.common.earliest; at <= overlap.common.latest;
         at = at + Duration(1)) {
      ASSERT_EQ(counts[static_cast<size_t>(at.nanoseconds())], most);
    }
    for (size_t wanted = 1; wanted <= intervals.size(); ++wanted) {
      const std::vector<Interval> stretches = PointsInAtLeast(intervals, wanted);
      for (int64_t point = 0; point < kPoints; ++point) {
        const bool inside = std::any_of(
            stretches.begin(), stretches.end(),
            [&](const Interval& stretch) { return stretch.Contains(Timestamp(point)); });
        ASSERT_EQ(inside, counts[static_cast<size_t>(point)] >= wanted) << point;
      }
    }
  }
}

}  // namespace
}  // namespace truetime
