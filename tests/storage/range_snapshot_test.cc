// Range snapshots from one simulated machine to another: what arrives is what was there, whatever
// crashes, is repeated, garbled or taken over from another snapshot on the way (PX-SNAPSHOT).
#include "storage/range_snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "storage/snapshot_chunk.h"
#include "tests/storage/row_model.h"
#include "tests/storage/store_rig.h"
#include "tests/trials.h"

namespace storage {
namespace {

using runtime::Timestamp;
using namespace std::chrono_literals;

constexpr GroupId kGroup = StoreRig::kGroup;

// A machine with a group that has applied something.
class Source {
 public:
  explicit Source(uint64_t seed) : rig_(seed), random_(seed) { EXPECT_TRUE(rig_.Open().ok()); }
  ~Source() {
    reader_ = nullptr;
    rig_.Close();
  }

  void Apply(int batches, size_t value_bytes_max = 400) {
    for (int i = 0; i < batches; ++i) {
      const ModelBatch batch = RandomBatch(&random_, value_bytes_max);
      model_.Apply(batch);
      ASSERT_TRUE(
          rig_.Write(ToApplyBatch(batch, model_.applied(), kGroup, rig_.store().epoch())).ok());
    }
  }
  void CollectGarbage(Timestamp horizon) {
    ASSERT_TRUE(rig_.RunSteps([&](std::string resume) {
                      return rig_.store().CollectGarbage(kGroup, {}, horizon, std::move(resume));
                    })
                    .ok());
  }
  // Opens a snapshot of now.
  void Snapshot(uint64_t id, size_t chunk_bytes) {
    absl::StatusOr<SnapshotReader> reader =
        SnapshotReader::Create(rig_.NewView(), {}, id, {.chunk_bytes_max = chunk_bytes});
    ASSERT_TRUE(reader.ok()) << reader.status();
    reader_ = std::make_unique<SnapshotReader>(*std::move(reader));
    snapshot_model_ = model_;
  }
  std::string ReadChunk(absl::string_view token) {
    absl::StatusOr<std::string> chunk = reader_->ReadChunk(token);
    EXPECT_TRUE(chunk.ok()) << chunk.status();
    return chunk.ok() ? *std::move(chunk) : "";
  }
  SnapshotReader& reader() { return *reader_; }
  const RowModel& snapshot_model() const { return snapshot_model_; }
  StoreRig& rig() { return rig_; }

 private:
  StoreRig rig_;
  runtime::Random random_;
  RowModel model_;
  RowModel snapshot_model_;
  std::unique_ptr<SnapshotReader> reader_;
};

absl::StatusOr<std::unique_ptr<SnapshotInstaller>> Begin(StoreRig* rig, uint64_t id,
                                                         KeyRange range = {}) {
  return rig->Run(SnapshotInstaller::Begin(&rig->store(), kGroup, std::move(range), id));
}

absl::Status Install(Source* source, StoreRig* target, uint64_t id) {
  absl::StatusOr<std::unique_ptr<SnapshotInstaller>> installer = Begin(target, id);
  if (!installer.ok()) return installer.status();
  while (!(*installer)->done()) {
    const absl::Status added =
        target->Run((*installer)->Add(source->ReadChunk((*installer)->resume_token())));
    if (!added.ok()) return added;
  }
  EXPECT_EQ((*installer)->applied(), source->reader().applied());
  return absl::OkStatus();
}

void ExpectHolds(StoreRig* target, const RowModel& model, uint64_t seed) {
  runtime::Random random(seed);
  View view = target->NewView();
  const absl::StatusOr<std::string> different = Difference(&view, model, &random);
  ASSERT_TRUE(different.ok()) << different.status();
  EXPECT_EQ(*different, "");
}

StoredGroup OnlyGroup(StoreRig* rig) {
  const auto groups = rig->Run(rig->store().Groups());
  CHECK(groups.ok() && groups->size() == 1) << groups.status();
  return groups->front();
}

TEST(RangeSnapshotTest, ItIsWhatTheGroupHeldAtItsAppliedState) {
  Source source(1);
  source.Apply(200);
  source.CollectGarbage(Timestamp(900));
  source.Snapshot(5, 2000);
  source.Apply(50);  // Not in it.
  source.CollectGarbage(Timestamp(2400));
  StoreRig target(2);
  ASSERT_TRUE(target.Open().ok());
  ASSERT_TRUE(Install(&source, &target, 5).ok());
  ExpectHolds(&target, source.snapshot_model(), 1);
  EXPECT_EQ(target.NewView().horizon(), Timestamp(900));
  // Durable, and no trace of the install is left.
  target.Crash();
  ASSERT_TRUE(target.Open().ok());
  EXPECT_FALSE(OnlyGroup(&target).install.has_value());
  EXPECT_EQ(OnlyGroup(&target).applied, "200");
  ExpectHolds(&target, source.snapshot_model(), 2);
  target.Close();
}

TEST(RangeSnapshotTest, WhatWasThereBeforeDoesNotComeBack) {
  Source old_source(3);
  old_source.Apply(150);
  old_source.Snapshot(1, 1500);
  Source source(4);
  source.Apply(100);
  source.Snapshot(2, 1500);
  StoreRig target(5);
  ASSERT_TRUE(target.Open().ok());
  ASSERT_TRUE(Install(&old_source, &target, 1).ok());
  ASSERT_TRUE(Install(&source, &target, 2).ok());
  ExpectHolds(&target, source.snapshot_model(), 1);
  target.Close();
}

TEST(RangeSnapshotTest, OnlyTheRangeIsCopiedAndReplaced) {
  StoreRig from(6);
  StoreRig to(7);
  ASSERT_TRUE(from.Open().ok());
  ASSERT_TRUE(to.Open().ok());
  for (StoreRig* rig : {&from, &to}) {
    ApplyBatch batch = rig->NewBatch();
    for (const char* key : {"a", "b", "c", "d"}) {
      batch.Put(key, Timestamp(1), rig == &from ? "new" : "old");
    }
    batch.SetApplied(kGroup, "1");
    batch.PutState(GroupId(8), "other", "kept");
    ASSERT_TRUE(rig->Write(std::move(batch)).ok());
  }
  const KeyRange range{"b", "d"};
  absl::StatusOr<SnapshotReader> reader = SnapshotReader::Create(from.NewView(), range, 1, {});
  absl::StatusOr<std::unique_ptr<SnapshotInstaller>> installer = Begin(&to, 1, range);
  ASSERT_TRUE(to.Run((*installer)->Add(*reader->ReadChunk(""))).ok());
  EXPECT_TRUE((*installer)->done());
  View view = to.NewView();
  std::string values;
  const auto rows = ScanAll(&view, {.range = {}, .at = Timestamp(1)});
  for (const Row& row : *rows) {
    values += absl::StrCat(row.key, "=", row.value, " ");
  }
  EXPECT_EQ(values, "a=old b=new c=new d=old ");
  EXPECT_EQ(*to.NewView(GroupId(8)).State("other"), "kept");
}

// Crashes at any moment; each time the group is either not installed, and the install goes on where
// it stood or begins anew with another snapshot, or it is there whole.
TEST(RangeSnapshotTest, CrashesLeaveItNotInstalledOrWhole) {
  for (uint64_t seed = 0; seed < tests::Trials(60); ++seed) {
    SCOPED_TRACE(seed);
    runtime::Random random(seed);
    Source source(seed);
    StoreRig target(seed + 1000);
    ASSERT_TRUE(target.Open().ok());
    if (random.Chance(0.5)) {  // It holds something old.
      Source old_source(seed + 2000);
      old_source.Apply(60);
      old_source.Snapshot(1, 3000);
      ASSERT_TRUE(Install(&old_source, &target, 1).ok());
    }
    source.Apply(120);
    uint64_t id = 10;
    source.Snapshot(id, 1000);
    bool begun = false;
    bool resumed = false;
    for (bool done = false; !done;) {
      absl::StatusOr<std::unique_ptr<SnapshotInstaller>> installer = Begin(&target, id);
      ASSERT_TRUE(installer.ok()) << installer.status();
      begun = true;
      resumed = resumed || !(*installer)->resume_token().empty();
      const int64_t chunks = random.Uniform(0, 60);
      for (int64_t i = 0; i < chunks && !(*installer)->done(); ++i) {
        ASSERT_TRUE(
            target.Run((*installer)->Add(source.ReadChunk((*installer)->resume_token()))).ok());
      }
      if (!(*installer)->done()) {
        target.Begin((*installer)->Add(source.ReadChunk((*installer)->resume_token())));
        target.RunFor(random.Uniform(0ns, 300us));
      }
      // The tasks of a crash end first, with what they point to.
      target.Crash();
      installer = absl::CancelledError();
      ASSERT_TRUE(target.Open().ok());
      const StoredGroup group = OnlyGroup(&target);
      done = !group.install.has_value();
      if (done) {
        EXPECT_EQ(group.applied, source.reader().applied());
      } else {
        EXPECT_TRUE(begun && group.applied.empty());
        EXPECT_TRUE(absl::IsFailedPrecondition(target.store().NewView(kGroup).status()));
      }
      if (!done && random.Chance(0.15)) {  // Its source is gone, and another gives one of its own.
        source.Apply(5);
        source.Snapshot(++id, 1000);
      }
    }
    ExpectHolds(&target, source.snapshot_model(), seed);
    target.Close();
  }
}

TEST(RangeSnapshotTest, AChunkThatIsNotTheOneIsRefusedAndChangesNothing) {
  Source source(8);
  source.Apply(120);
  source.Snapshot(3, 1000);
  StoreRig target(9);
  ASSERT_TRUE(target.Open().ok());
  absl::StatusOr<std::unique_ptr<SnapshotInstaller>> installer = Begin(&target, 3);
  const std::string first = source.ReadChunk("");
  ASSERT_TRUE(target.Run((*installer)->Add(first)).ok());
  const std::string token = (*installer)->resume_token();
  const std::string second = source.ReadChunk(token);

  runtime::Random random(1);
  std::vector<std::string> wrong = {first, "", second.substr(0, second.size() / 2)};
  source.Snapshot(4, 1000);
  wrong.push_back(source.ReadChunk(token));
  for (int i = 0; i < 500; ++i) {
    std::string flipped = second;
    const auto bit =
        static_cast<size_t>(random.Uniform(0, static_cast<int64_t>(flipped.size()) * 8 - 1));
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    wrong.push_back(flipped);
  }
  for (const std::string& chunk : wrong) {
    const absl::Status added = target.Run((*installer)->Add(chunk));
    ASSERT_TRUE(absl::IsInvalidArgument(added)) << added;
  }
  EXPECT_EQ((*installer)->resume_token(), token);
  EXPECT_FALSE(target.store().damaged());
  EXPECT_TRUE(target.Run((*installer)->Add(second)).ok());
  target.Close();
}

TEST(RangeSnapshotTest, AnInstallOfARangeThatLeavesSomeBehindIsRefused) {
  StoreRig target(10);
  ASSERT_TRUE(target.Open().ok());
  ASSERT_TRUE(Begin(&target, 1, {"a", "m"}).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(Begin(&target, 2, {"a", "c"}).status()));
  EXPECT_TRUE(Begin(&target, 3, {"a", "z"}).ok());
  ASSERT_TRUE(target
                  .RunSteps([&](std::string resume) {
                    return target.store().RemoveGroup(kGroup, {"a", "z"}, std::move(resume));
                  })
                  .ok());
  EXPECT_TRUE(target.Run(target.store().Groups())->empty());
  EXPECT_TRUE(Begin(&target, 4, {"a", "c"}).ok());
  target.Close();
}

TEST(RangeSnapshotTest, AGroupThatAppliedNothingHasNoSnapshot) {
  StoreRig rig(11);
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(SnapshotReader::Create(rig.NewView(), {}, 1, {}).status()));
  rig.Close();
}

}  // namespace
}  // namespace storage
