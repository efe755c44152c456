// The store's life: what happens when its disk is full or fails, when it is damaged and wiped, when
// it is opened again under those who use it.
#include "storage/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "storage/range_survey.h"
#include "tests/storage/row_model.h"
#include "tests/storage/store_rig.h"
#include "tests/trials.h"

namespace storage {
namespace {

using runtime::Timestamp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr GroupId kGroup = StoreRig::kGroup;

ApplyBatch Applying(StoreRig* rig, int number, size_t row_bytes = 10) {
  ApplyBatch batch = rig->NewBatch();
  batch.Put(absl::StrCat("row", number), Timestamp(number), std::string(row_bytes, 'v'));
  batch.SetApplied(kGroup, absl::StrCat(number));
  return batch;
}

std::string Applied(StoreRig* rig) { return rig->NewView().Applied()->value_or("none"); }

bool AwaitState(StoreRig* rig, StoreState state) {
  return rig->universe().RunUntil([&] { return rig->store().state() == state; }, 60s);
}

TEST(StoreTest, ReadsBelowTheHorizonAreRefused) {
  StoreRig rig(1);
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Write(Applying(&rig, 10)).ok());
  ASSERT_TRUE(rig.Run(rig.store().CollectGarbage(kGroup, {}, Timestamp(8), "")).ok());
  View view = rig.NewView();
  const absl::Status refused = view.Get("row10", Timestamp(7)).status();
  EXPECT_TRUE(absl::IsOutOfRange(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("a read at 7ns is below the horizon"));
  EXPECT_TRUE(absl::IsOutOfRange(view.Scan({.range = {}, .at = Timestamp(7)}).status()));
  EXPECT_TRUE(view.Get("row10", Timestamp(8)).ok());
  // The horizon of another group is its own, and one that was raised is not lowered.
  EXPECT_TRUE(rig.NewView(GroupId(1)).Get("row10", Timestamp(7)).ok());
  ASSERT_TRUE(rig.Run(rig.store().CollectGarbage(kGroup, {}, Timestamp(3), "")).ok());
  EXPECT_EQ(rig.NewView().horizon(), Timestamp(8));
}

// A key with more versions than a step looks at, deleted: the deletion goes last.
TEST(StoreTest, ADeletionIsCollectedOnlyWithAllThatItHides) {
  StoreRig rig(2);
  ASSERT_TRUE(rig.Open().ok());
  constexpr int kVersions = 10'000;
  for (int i = 1; i <= kVersions;) {
    ApplyBatch batch = rig.NewBatch();
    for (int end = i + 500; i < end; ++i) batch.Put("k", Timestamp(i), "v");
    ASSERT_TRUE(rig.Write(std::move(batch)).ok());
  }
  ApplyBatch batch = rig.NewBatch();
  batch.Delete("k", Timestamp(kVersions + 1));
  batch.Put("l", Timestamp(kVersions + 1), "kept");
  ASSERT_TRUE(rig.Write(std::move(batch)).ok());
  std::optional<std::string> resume = "";
  int steps = 0;
  for (; resume.has_value(); ++steps) {
    auto step = rig.Run(rig.store().CollectGarbage(kGroup, {}, Timestamp(kVersions + 5), *resume));
    ASSERT_TRUE(step.ok()) << step.status();
    resume = step->resume;
    EXPECT_FALSE(rig.NewView().Get("k", Timestamp(kVersions + 5))->has_value()) << steps;
  }
  EXPECT_GT(steps, 2);
  EXPECT_TRUE(rig.NewView().Versions("k", Timestamp::Max(), 10)->empty());
  EXPECT_EQ(rig.NewView().Newest("l")->value().value, "kept");
}

TEST(StoreTest, AFullDiskRefusesWritesUntilThereIsRoom) {
  StoreRig rig(3);
  std::vector<std::string> states;
  rig.options().state_changed = [&] { states.emplace_back(StoreStateName(rig.store().state())); };
  ASSERT_TRUE(rig.Open().ok());
  const StoreEpoch epoch = rig.store().epoch();
  rig.disk().SetCapacity(rig.disk().used_bytes() + 500'000);
  int acknowledged = 0;
  absl::Status written;
  while (written.ok()) {
    written = rig.Write(Applying(&rig, acknowledged + 1, 5000));
    if (written.ok()) ++acknowledged;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(written)) << written;
  EXPECT_GT(acknowledged, 20);
  EXPECT_EQ(rig.store().state(), StoreState::kFull);
  EXPECT_TRUE(absl::IsResourceExhausted(rig.Write(rig.NewBatch())));
  EXPECT_TRUE(absl::IsResourceExhausted(rig.store().NewView(kGroup).status()));
  rig.disk().SetCapacity(1 << 30);
  ASSERT_TRUE(AwaitState(&rig, StoreState::kOpen));
  // All that was written before is there, and what was prepared for the store before is refused.
  EXPECT_GT(rig.store().epoch(), epoch);
  EXPECT_EQ(Applied(&rig), absl::StrCat(acknowledged));
  EXPECT_TRUE(absl::IsAborted(rig.Write(ApplyBatch(epoch))));
  EXPECT_TRUE(rig.Write(Applying(&rig, acknowledged + 1)).ok());
  EXPECT_EQ(states.front(), "full");
  EXPECT_EQ(states.back(), "open");
}

TEST(StoreTest, AfterAnErrorItIsOpenedAgainWithAPrefix) {
  runtime::Random random(4);
  for (uint64_t seed = 0; seed < tests::Trials(100); ++seed) {
    SCOPED_TRACE(seed);
    StoreRig rig(seed);
    ASSERT_TRUE(rig.Open().ok());
    rig.disk().faults().fail_at = static_cast<uint64_t>(random.Uniform(1, 60));
    int acknowledged = 0;
    absl::Status written;
    for (int i = 1; written.ok() && i < 100; ++i) {
      written = rig.Write(Applying(&rig, i, 3000));
      if (written.ok()) acknowledged = i;
    }
    if (written.ok()) continue;
    ASSERT_TRUE(absl::IsUnavailable(written)) << written;
    if (!rig.universe().RunUntil([&] { return rig.store().state() == StoreState::kOpen; }, 60s)) {
      // A log that could not be synced when it was closed: only a new process goes on.
      ASSERT_THAT(std::string(rig.store().status().message()),
                  HasSubstr("could not be synced before"));
      rig.Crash();
      ASSERT_TRUE(rig.Open().ok());
    }
    View view = rig.NewView();
    int applied = 0;
    ASSERT_TRUE(absl::SimpleAtoi(view.Applied()->value_or("0"), &applied));
    EXPECT_LE(applied, acknowledged + 1);
    const auto rows = ScanAll(&view, {.range = {}, .at = Timestamp::Max()});
    EXPECT_EQ(rows->size(), static_cast<size_t>(applied));
  }
}

TEST(StoreTest, AViewOfBeforeHoldsUpTheOpeningAndIsTold) {
  StoreRig rig(5);
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Write(Applying(&rig, 1)).ok());
  {
    View view = rig.NewView();
    rig.disk().faults().fail_at = 1;
    EXPECT_FALSE(rig.Write(Applying(&rig, 2)).ok());
    EXPECT_TRUE(absl::IsUnavailable(view.Newest("row1").status()));
    rig.RunFor(20s);
    EXPECT_EQ(rig.store().state(), StoreState::kFailing);
  }
  EXPECT_TRUE(AwaitState(&rig, StoreState::kOpen));
  EXPECT_EQ(Applied(&rig), "1");
}

// Damage under an open store: it is found by a read, said so, and a wiped store begins anew.
TEST(StoreTest, ADamagedStoreIsWipedAndFilledAgain) {
  StoreRig rig(6);
  std::vector<std::string> states;
  rig.options().state_changed = [&] { states.emplace_back(StoreStateName(rig.store().state())); };
  ASSERT_TRUE(rig.Open().ok());
  for (int i = 1; i < 40; ++i) ASSERT_TRUE(rig.Write(Applying(&rig, i, 4000)).ok());
  for (const std::string& path : rig.disk().Paths()) {
    if (!absl::EndsWith(path, ".ldb")) continue;
    for (uint64_t byte = 0; byte < 60'000; byte += 500) rig.disk().FlipBit(path, byte * 8);
  }
  // Already a look for the group's record may meet a bad block.
  absl::StatusOr<View> view = rig.store().NewView(kGroup);
  EXPECT_TRUE(absl::IsDataLoss(
      view.ok() ? view->Scan({.range = {}, .at = Timestamp::Max()}).status() : view.status()));
  view = absl::CancelledError();
  EXPECT_TRUE(AwaitState(&rig, StoreState::kDamaged));
  EXPECT_TRUE(absl::IsDataLoss(rig.Write(Applying(&rig, 50))));
  EXPECT_TRUE(absl::IsDataLoss(rig.store().NewView(kGroup).status()));
  EXPECT_THAT(states, ElementsAre("damaged"));
  rig.Close();
  EXPECT_TRUE(absl::IsDataLoss(rig.Open())) << "damage does not heal by itself";
  ASSERT_TRUE(rig.Wipe().ok());
  rig.Crash();  // It does not come back.
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_TRUE(rig.Run(rig.store().Groups())->empty());
  EXPECT_TRUE(rig.Write(Applying(&rig, 1)).ok());
  EXPECT_EQ(Applied(&rig), "1");
}

TEST(StoreTest, AWipeThatIsCutOffByACrashHasWipedAllOrNothing) {
  runtime::Random random(7);
  int wiped = 0;
  constexpr int kTrials = 60;
  for (uint64_t seed = 0; seed < kTrials; ++seed) {
    StoreRig rig(seed);
    ASSERT_TRUE(rig.Open().ok());
    for (int i = 1; i < 30; ++i) ASSERT_TRUE(rig.Write(Applying(&rig, i, 4000)).ok());
    ASSERT_TRUE(rig.Run(rig.store().SyncApplied()).ok());
    rig.Close();
    rig.Begin(Store::Wipe(&rig.world(), rig.options().directory));
    rig.RunFor(random.Uniform(0ns, 400us));
    rig.Crash();
    ASSERT_TRUE(rig.Open().ok()) << seed;
    const std::string applied = Applied(&rig);
    if (applied == "none") ++wiped;
    if (applied != "none") {
      View view = rig.NewView();
      EXPECT_EQ(applied, "29") << seed;
      EXPECT_EQ(ScanAll(&view, {.range = {}, .at = Timestamp::Max()})->size(), 29u) << seed;
    }
  }
  EXPECT_GT(wiped, 0);
  EXPECT_LT(wiped, kTrials);
}

TEST(StoreTest, AGroupThatIsRemovedIsGoneAndCountsAsNotInstalledMeanwhile) {
  StoreRig rig(8);
  ASSERT_TRUE(rig.Open().ok());
  for (int i = 0; i < 20; ++i) {
    ApplyBatch batch = rig.NewBatch();
    for (int k = 0; k < 500; ++k) batch.Put(absl::StrCat("m", i * 500 + k), Timestamp(1), "v");
    batch.Put("other", Timestamp(1), "v");
    batch.PutState(kGroup, absl::StrCat("lock", i), "held");
    batch.PutState(GroupId(8), "lock", "held");
    batch.SetApplied(kGroup, "1");
    batch.SetApplied(GroupId(8), "1");
    ASSERT_TRUE(rig.Write(std::move(batch)).ok());
  }
  auto step = rig.Run(rig.store().RemoveGroup(kGroup, {"m", "n"}, ""));
  ASSERT_TRUE(step.ok() && step->resume.has_value());
  rig.Crash();
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(rig.store().NewView(kGroup).status()));
  EXPECT_EQ(rig.Run(rig.store().Groups())->front().install->range, (KeyRange{"m", "n"}));
  ASSERT_TRUE(rig.RunSteps([&](std::string resume) {
                   return rig.store().RemoveGroup(kGroup, {"m", "n"}, std::move(resume));
                 })
                  .ok());
  const auto groups = rig.Run(rig.store().Groups());
  ASSERT_EQ(groups->size(), 1u);
  EXPECT_EQ(groups->front().group, GroupId(8));
  View view = rig.NewView(GroupId(8));
  EXPECT_EQ(ScanAll(&view, {.range = {}, .at = Timestamp(1)})->size(), 1u);
  EXPECT_EQ(*view.State("lock"), "held");
  EXPECT_TRUE(rig.NewView().ScanState({}, 10)->empty());
}

TEST(StoreTest, TheMiddleOfARangeHalvesItsBytes) {
  StoreRig rig(9);
  ASSERT_TRUE(rig.Open().ok());
  runtime::Random random(9);
  uint64_t live = 0;
  for (int i = 0; i < 60; ++i) {
    ApplyBatch batch = rig.NewBatch();
    for (int k = 0; k < 200; ++k) {
      const std::string key = std::to_string(1'000'000 + i * 200 + k);
      // The first tenth of the rows are much bigger.
      const std::string value(static_cast<size_t>(i < 6 ? 900 : 20), 'v');
      batch.Put(key, Timestamp(1), "old");
      batch.Put(key, Timestamp(2), value);
      live += key.size() + value.size();
    }
    batch.Delete("0", Timestamp(1));
    ASSERT_TRUE(rig.Write(std::move(batch)).ok());
  }
  RangeSurvey survey(rig.NewView(), {});
  int steps = 0;
  for (; !survey.done(); ++steps) ASSERT_TRUE(survey.Step().ok());
  EXPECT_GT(steps, 3);
  const RangeStatistics statistics = survey.Result();
  EXPECT_EQ(statistics.rows, 12'000u);
  EXPECT_EQ(statistics.live_bytes, live);
  EXPECT_EQ(statistics.versions, 24'001u);
  EXPECT_EQ(statistics.total_bytes, live + 12'000 * 10 + 1);
  ASSERT_TRUE(statistics.middle.has_value());
  RangeSurvey lower(rig.NewView(), {"", *statistics.middle});
  while (!lower.done()) ASSERT_TRUE(lower.Step().ok());
  const double share =
      static_cast<double>(lower.Result().total_bytes) / static_cast<double>(statistics.total_bytes);
  EXPECT_NEAR(share, 0.5, 1.0 / 256);
}

TEST(StoreTest, WhatWaitsIsBounded) {
  StoreRig rig(10);
  rig.options().queue_bytes_max = 10'000;
  ASSERT_TRUE(rig.Open().ok());
  rig.Begin(rig.store().Write(Applying(&rig, 1, 8000)));
  rig.Begin(rig.store().Write(Applying(&rig, 2, 8000)));
  EXPECT_TRUE(absl::IsResourceExhausted(rig.Write(Applying(&rig, 3, 8000))));
  EXPECT_TRUE(rig.Write(Applying(&rig, 3, 10)).ok());
  EXPECT_FALSE(rig.NewView().Newest("row2")->has_value());
}

TEST(StoreTest, WhatWasQueuedTogetherIsInTheOrderOfTheCalls) {
  StoreRig rig(11);
  ASSERT_TRUE(rig.Open().ok());
  for (int i = 1; i <= 50; ++i) rig.Begin(rig.store().Write(Applying(&rig, i)));
  ASSERT_TRUE(rig.Run(rig.store().SyncApplied()).ok());
  EXPECT_EQ(Applied(&rig), "50");
  rig.Crash();
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_EQ(Applied(&rig), "50");
}

}  // namespace
}  // namespace storage
