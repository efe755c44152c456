// The store against a model in memory: through random batches, garbage collection, views of the
// past, crashes at any moment and failing disks, what it gives is what a prefix of the batches
// left, and its applied state says which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "tests/storage/row_model.h"
#include "tests/storage/store_rig.h"

namespace storage {
namespace {

using runtime::Timestamp;
using namespace std::chrono_literals;

class ModelRun {
 public:
  explicit ModelRun(uint64_t seed) : rig_(seed), random_(seed) {}

  std::string Run(int crashes) {
    for (int crash = 0; crash < crashes; ++crash) {
      if (random_.Chance(0.2)) {  // Crashes while it is opened.
        rig_.BeginOpen();
        rig_.RunFor(random_.Uniform(0ns, 2ms));
        rig_.Crash();
      }
      if (const absl::Status opened = rig_.Open(); !opened.ok()) return opened.ToString();
      std::string wrong = CheckRecovered();
      for (int step = 0; wrong.empty() && step < 60; ++step) wrong = Step();
      if (!wrong.empty()) return absl::StrCat("before crash ", crash, ": ", wrong);
      End();
    }
    return "";
  }

 private:
  std::string CheckRecovered() {
    View view = rig_.NewView();
    const auto applied = view.Applied();
    if (!applied.ok()) return applied.status().ToString();
    uint64_t number = 0;
    if (!absl::SimpleAtoi(applied->value_or("0"), &number)) return "the applied state is garbage";
    if (number < synced_ || number > batches_.size()) {
      return absl::StrCat("applied is ", number, ", but ", synced_, " were synced and ",
                          batches_.size(), " written");
    }
    if (view.horizon() > horizon_) return "the horizon was never raised so far";
    horizon_ = view.horizon();
    batches_.resize(number);
    model_ = RowModel();
    for (const ModelBatch& batch : batches_) model_.Apply(batch);
    return Compare(&view, model_);
  }

  std::string Compare(View* view, const RowModel& model) {
    const absl::StatusOr<std::string> different = Difference(view, model, &random_);
    return different.ok() ? *different : different.status().ToString();
  }

  ApplyBatch NextBatch() {
    batches_.push_back(RandomBatch(&random_, random_.Chance(0.1) ? 20'000 : 300));
    return ToApplyBatch(batches_.back(), batches_.size(), StoreRig::kGroup, rig_.store().epoch());
  }

  std::string Step() {
    const double what = random_.Fraction();
    if (what < 0.8) {
      const absl::Status written = rig_.Write(NextBatch());
      if (!written.ok()) return written.ToString();
      model_.Apply(batches_.back());
      return "";
    }
    if (what < 0.85) {
      const absl::Status synced = rig_.Run(rig_.store().SyncApplied());
      synced_ = batches_.size();
      return synced.ok() ? "" : synced.ToString();
    }
    if (what < 0.9) return CollectGarbage();
    View view = rig_.NewView();
    if (what < 0.95) return Compare(&view, model_);
    // A view of the past, while the store goes on and collects garbage.
    const RowModel past = model_;
    for (int i = 0; i < 10; ++i) {
      if (std::string wrong = random_.Chance(0.2) ? CollectGarbage() : Step(); !wrong.empty()) {
        return wrong;
      }
    }
    return Compare(&view, past);
  }

  std::string CollectGarbage() {
    const auto last = static_cast<int64_t>(batches_.size()) * 10;
    const Timestamp horizon(random_.Uniform(last / 2, last));
    horizon_ = std::max(horizon_, horizon);
    const absl::Status collected = rig_.RunSteps([&](std::string resume) {
      return rig_.store().CollectGarbage(StoreRig::kGroup, {}, horizon, std::move(resume));
    });
    return collected.ok() ? "" : collected.ToString();
  }

  // Some more is on its way when the machine crashes.
  void End() {
    if (random_.Chance(0.1)) rig_.Close();
    const int64_t writes = random_.Uniform(0, 20);
    for (int64_t i = 0; i < writes && rig_.is_open(); ++i) {
      rig_.Begin(rig_.store().Write(NextBatch()));
      if (random_.Chance(0.1)) rig_.Begin(rig_.store().SyncApplied());
    }
    rig_.RunFor(random_.Uniform(0ns, 1ms));
    rig_.Crash();
  }

  StoreRig rig_;
  runtime::Random random_;
  std::vector<ModelBatch> batches_;  // All that may have been written.
  RowModel model_;                   // Of all that was.
  uint64_t synced_ = 0;
  Timestamp horizon_ = Timestamp::Min();
};

class StoreModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(StoreModelTest, WhatItHoldsIsWhatAPrefixOfTheBatchesLeft) {
  for (uint64_t i = 0; i < 4; ++i) {
    const uint64_t seed = GetParam() * 4 + i;
    ASSERT_EQ(ModelRun(seed).Run(8), "") << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoreModelTest, testing::Range<uint64_t>(0, 8));

}  // namespace
}  // namespace storage
