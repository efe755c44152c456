#include "paxos/log_meter.h"

#include <gtest/gtest.h>

namespace paxos {
namespace {

TEST(LogMeterTest, WhatIsCutLeavesWhatIsToBeRetained) {
  LogMeter meter(10'000, Slot(0));
  EXPECT_FALSE(meter.CutPoint(Slot(0)));
  for (uint64_t slot = 1; slot <= 300; ++slot) meter.Wrote(Slot(slot), 136);  // 200 with overhead.
  const auto point = meter.CutPoint(Slot(300));
  ASSERT_TRUE(point);
  // 50 slots are to stay, and up to an eighth of that more.
  EXPECT_LE(point->value(), 251u);
  EXPECT_GE(point->value(), 235u);
  meter.Cut(*point);
  EXPECT_FALSE(meter.CutPoint(Slot(300)));
  EXPECT_LE(meter.bytes(), 13'500u);
}

TEST(LogMeterTest, NothingIsCutThatIsNotApplied) {
  LogMeter meter(1'000, Slot(0));
  for (uint64_t slot = 1; slot <= 300; ++slot) meter.Wrote(Slot(slot), 136);
  EXPECT_FALSE(meter.CutPoint(Slot(0)));
  EXPECT_LE(meter.CutPoint(Slot(100))->value(), 101u);
}

TEST(LogMeterTest, WhatSomebodyNeedsStaysUpToASize) {
  LogMeter meter(1'000, Slot(0));
  for (uint64_t slot = 1; slot <= 300; ++slot) meter.Wrote(Slot(slot), 136);
  EXPECT_GT(meter.CutPoint(Slot(300))->value(), 280u);
  EXPECT_LE(meter.CutPoint(Slot(300), Slot(100), 100'000)->value(), 101u);
  const auto past = meter.CutPoint(Slot(300), Slot(100), 10'000);  // Of 50 slots.
  EXPECT_GT(past->value(), 230u);
  EXPECT_LE(past->value(), 251u);
  // It is not the more that goes.
  EXPECT_EQ(meter.CutPoint(Slot(300), Slot(300), 0), meter.CutPoint(Slot(300)));
}

TEST(LogMeterTest, WhatWasThereBeforeGoesOnceEnoughCameAfterIt) {
  LogMeter meter(1'000, Slot(500));
  EXPECT_FALSE(meter.CutPoint(Slot(500)));
  for (uint64_t slot = 501; slot <= 520; ++slot) meter.Wrote(Slot(slot), 136);
  EXPECT_GE(meter.CutPoint(Slot(520))->value(), 501u);
}

}  // namespace
}  // namespace paxos
