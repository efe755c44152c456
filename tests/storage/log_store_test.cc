// What the log store promises, one story each, on a simulated machine.
#include "storage/log_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <leveldb/env.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/coding.h"
#include "storage/crc32c.h"
#include "storage/log_format.h"
#include "tests/storage/log_rig.h"

namespace storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kSmallSegment = 64 << 10;

LogEntry At(uint64_t slot, std::string bytes) { return {Slot(slot), std::move(bytes)}; }

TEST(LogStore, GivesBackWhatWasWritten) {
  LogRig rig(1);
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_THAT(rig.log().TakeRecovered(), IsEmpty());
  ASSERT_TRUE(rig.Write({.group = GroupId(7),
                         .meta = "ballot 3",
                         .entries = {At(2, "b"), At(1, "a"), At(5, "")}})
                  .ok());
  ASSERT_TRUE(rig.Write(Entry(7, 2, "again")).ok());
  const auto entries = std::vector<LogEntry>{At(1, "a"), At(2, "again"), At(5, "")};
  EXPECT_EQ(rig.Read(GroupId(7)).value(), entries);
  rig.Crash();
  ASSERT_TRUE(rig.Open().ok());
  const std::vector<RecoveredGroup> groups = rig.log().TakeRecovered();
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_EQ(groups[0].group, GroupId(7));
  EXPECT_EQ(groups[0].meta, "ballot 3");
  EXPECT_EQ(groups[0].truncated_before, Slot(0));
  EXPECT_EQ(groups[0].first, Slot(1));
  EXPECT_EQ(groups[0].last, Slot(5));
  EXPECT_EQ(rig.Read(GroupId(7)).value(), entries);
  EXPECT_THAT(rig.Read(GroupId(8)).value(), IsEmpty());
}

TEST(LogStore, ReadsAsMuchAsIsAskedForButAtLeastOne) {
  LogRig rig(2);
  rig.options().cache_bytes_max = 0;
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t slot = 1; slot <= 9; ++slot) {
    ASSERT_TRUE(rig.Write(Entry(1, slot, absl::StrCat("value ", slot))).ok());
  }
  const GroupId group(1);
  EXPECT_THAT(rig.Read(group, 3, 5).value(), ElementsAre(At(3, "value 3"), At(4, "value 4")));
  EXPECT_THAT(rig.Read(group, 8).value(), ElementsAre(At(8, "value 8"), At(9, "value 9")));
  EXPECT_THAT(rig.Read(group, 3, 9, 14).value(), ElementsAre(At(3, "value 3"), At(4, "value 4")));
  EXPECT_THAT(rig.Read(group, 3, 9, 1).value(), ElementsAre(At(3, "value 3")));
  EXPECT_THAT(rig.Read(group, 5, 5).value(), IsEmpty());
}

TEST(LogStore, TruncationAndErasureLast) {
  LogRig rig(3);
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t slot = 1; slot <= 9; ++slot) ASSERT_TRUE(rig.Write(Entry(1, slot, "x")).ok());
  ASSERT_TRUE(rig.Write(Meta(2, "to be erased")).ok());
  ASSERT_TRUE(rig.Write({.group = GroupId(1), .truncate_before = Slot(7)}).ok());
  ASSERT_TRUE(rig.Write({.group = GroupId(1), .truncate_before = Slot(4)}).ok());
  ASSERT_TRUE(rig.Write(Entry(1, 3, "too late")).ok());
  ASSERT_TRUE(rig.Write({.group = GroupId(2), .erase = true}).ok());
  ASSERT_TRUE(rig.Write({.group = GroupId(3), .meta = "old", .entries = {At(1, "old")}}).ok());
  ASSERT_TRUE(
      rig.Write({.group = GroupId(3), .erase = true, .meta = "new", .entries = {At(4, "new")}})
          .ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(rig.Read(GroupId(1)).value(), ElementsAre(At(7, "x"), At(8, "x"), At(9, "x")));
    EXPECT_THAT(rig.Read(GroupId(3)).value(), ElementsAre(At(4, "new")));
    rig.Reboot();
    ASSERT_TRUE(rig.Open().ok());
    const std::vector<RecoveredGroup> groups = rig.log().TakeRecovered();
    ASSERT_THAT(groups, SizeIs(2));
    EXPECT_EQ(groups[0].truncated_before, Slot(7));
    EXPECT_EQ(groups[1].meta, "new");
  }
}

TEST(LogStore, RefusesWhatBreaksALimit) {
  LogRig rig(4);
  ASSERT_TRUE(rig.Open().ok());
  const auto invalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(rig.Write(Entry(1, 0, "no slot")).code(), invalid);
  EXPECT_EQ(rig.Write(Meta(1, std::string(LogWrite::kMetaBytesMax + 1, 'm'))).code(), invalid);
  EXPECT_EQ(rig.Write(Entry(1, 1, std::string(LogStore::kWriteBytesMax, 'e'))).code(), invalid);
  const std::string large(LogStore::kWriteBytesMax - 1000, 'e');
  EXPECT_TRUE(rig.Write(Entry(1, 1, large)).ok());
  EXPECT_THAT(rig.Read(GroupId(1)).value(), ElementsAre(At(1, large)));
  rig.Close();
}

runtime::Task<void> WriteAndCount(LogStore* log, LogWrite write, std::vector<uint64_t>* order) {
  const uint64_t slot = write.entries[0].slot.value();
  if ((co_await log->Write(std::move(write))).ok()) order->push_back(slot);
}

TEST(LogStore, OneSyncServesAllThatWaitInTheOrderOfTheirCalls) {
  LogRig rig(5);
  ASSERT_TRUE(rig.Open().ok());
  const uint64_t syncs = rig.disk().counts().syncs;
  std::vector<uint64_t> order;
  for (uint64_t slot = 1; slot <= 1000; ++slot) {
    rig.Spawn(WriteAndCount(&rig.log(), Entry(slot % 50, slot, "value"), &order));
  }
  rig.RunFor(runtime::Duration(1'000'000'000));
  ASSERT_THAT(order, SizeIs(1000));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_LE(rig.disk().counts().syncs - syncs, 3u);
}

TEST(LogStore, WritersWaitForRoomInOrder) {
  LogRig rig(6);
  rig.options().queue_bytes_max = 10'000;
  rig.options().batch_bytes_max = 1'000;
  ASSERT_TRUE(rig.Open().ok());
  std::vector<uint64_t> order;
  for (uint64_t slot = 1; slot <= 200; ++slot) {
    const size_t size = slot % 7 == 0 ? 30'000 : 700;
    rig.Spawn(WriteAndCount(&rig.log(), Entry(1, slot, std::string(size, 'v')), &order));
  }
  rig.RunFor(runtime::Duration(1'000'000'000));
  ASSERT_THAT(order, SizeIs(200));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(LogStore, ClosesTidilyAndRefusesWhatComesLater) {
  LogRig rig(7);
  ASSERT_TRUE(rig.Open().ok());
  std::vector<uint64_t> order;
  for (uint64_t slot = 1; slot <= 10; ++slot) {
    rig.Spawn(WriteAndCount(&rig.log(), Entry(1, slot, "value"), &order));
  }
  rig.RunFor(runtime::Duration(1'000));
  rig.Reboot();
  EXPECT_THAT(order, SizeIs(10));
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_THAT(rig.Read(GroupId(1)).value(), SizeIs(10));
}

// ---- The disk in trouble.

TEST(LogStore, GoesOnInANewSegmentAfterASyncThatFailed) {
  LogRig rig(8);
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Write(Entry(1, 1, "one")).ok());
  const size_t segments = rig.Segments().size();
  rig.disk().faults().fail_next_sync = true;
  ASSERT_TRUE(rig.Write(Entry(1, 2, "two")).ok());
  EXPECT_EQ(rig.Segments().size(), segments + 1);
  EXPECT_EQ(rig.log().state(), LogState::kHealthy);
  ASSERT_TRUE(rig.Write(Entry(1, 3, "three")).ok());
  rig.Crash();
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_THAT(rig.Read(GroupId(1)).value(),
              ElementsAre(At(1, "one"), At(2, "two"), At(3, "three")));
}

struct Trouble {
  const char* name;
  void (*begin)(simulated::SimulatedDisk*);
  void (*end)(simulated::SimulatedDisk*);
  LogState state;
  absl::StatusCode refusal;
};

constexpr Trouble kTroubles[] = {
    {"full", [](simulated::SimulatedDisk* disk) { disk->SetCapacity(disk->used_bytes() + 100); },
     [](simulated::SimulatedDisk* disk) { disk->SetCapacity(uint64_t{1} << 40); }, LogState::kFull,
     absl::StatusCode::kResourceExhausted},
    {"failing syncs", [](simulated::SimulatedDisk* disk) { disk->faults().sync_error = 1; },
     [](simulated::SimulatedDisk* disk) { disk->faults().sync_error = 0; }, LogState::kStalled,
     absl::StatusCode::kUnavailable},
    {"failing writes", [](simulated::SimulatedDisk* disk) { disk->faults().write_error = 1; },
     [](simulated::SimulatedDisk* disk) { disk->faults().write_error = 0; }, LogState::kStalled,
     absl::StatusCode::kUnavailable},
};

TEST(LogStore, SaysThatTheDiskIsInTroubleAndGoesOnByItself) {
  for (const Trouble& trouble : kTroubles) {
    SCOPED_TRACE(trouble.name);
    LogRig rig(9);
    ASSERT_TRUE(rig.Open().ok());
    ASSERT_TRUE(rig.Write(Entry(1, 1, "before")).ok());
    trouble.begin(&rig.disk());
    std::vector<uint64_t> order;
    rig.Spawn(WriteAndCount(&rig.log(), Entry(1, 2, "waits"), &order));
    rig.RunFor(runtime::Duration(20'000'000'000));
    EXPECT_THAT(order, IsEmpty());
    EXPECT_EQ(rig.log().state(), trouble.state);
    EXPECT_EQ(rig.Write(Entry(1, 3, "refused")).code(), trouble.refusal);
    EXPECT_THAT(rig.Read(GroupId(1)).value(), ElementsAre(At(1, "before")));
    trouble.end(&rig.disk());
    rig.RunFor(runtime::Duration(5'000'000'000));
    EXPECT_EQ(rig.log().state(), LogState::kHealthy);
    EXPECT_THAT(order, ElementsAre(2));
    ASSERT_TRUE(rig.Write(Entry(1, 4, "after")).ok());
    rig.Crash();
    ASSERT_TRUE(rig.Open().ok());
    EXPECT_THAT(rig.Read(GroupId(1)).value(),
                ElementsAre(At(1, "before"), At(2, "waits"), At(4, "after")));
  }
}

TEST(LogStore, ClosesThoughTheDiskIsInTrouble) {
  LogRig rig(10);
  ASSERT_TRUE(rig.Open().ok());
  rig.disk().faults().sync_error = 1;
  std::vector<uint64_t> order;
  rig.Spawn(WriteAndCount(&rig.log(), Entry(1, 1, "waits"), &order));
  rig.RunFor(runtime::Duration(1'000'000'000));
  rig.Close();
  EXPECT_THAT(order, IsEmpty());
}

TEST(LogStore, SaysThatItCannotBeOpenedOnAFullDisk) {
  LogRig rig(11);
  ASSERT_TRUE(rig.Open().ok());
  ASSERT_TRUE(rig.Write(Entry(1, 1, "value")).ok());
  rig.Crash();
  rig.disk().SetCapacity(rig.disk().used_bytes());
  EXPECT_EQ(rig.Open().code(), absl::StatusCode::kResourceExhausted);
  rig.disk().SetCapacity(uint64_t{1} << 40);
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_THAT(rig.Read(GroupId(1)).value(), ElementsAre(At(1, "value")));
}

// ---- What is refused at the door.

// The head of a segment, as a program of that format version would write it.
std::string WithFormatVersion(std::string head, uint32_t version) {
  for (const size_t copy : {size_t{0}, kSegmentTwinOffset}) {
    std::string changed = head.substr(copy, 8);
    AppendFixed32(version, &changed);
    changed += head.substr(copy + changed.size(), kSegmentHeaderBytes - changed.size() - 4);
    AppendFixed32(MaskCrc32c(Crc32c(changed)), &changed);
    head.replace(copy, changed.size(), changed);
  }
  return head;
}

void Overwrite(LogRig* rig, const std::string& path, std::string content) {
  leveldb::WritableFile* opened = nullptr;
  ASSERT_TRUE(rig->world().files().NewWritableFile(path, &opened).ok());
  const std::unique_ptr<leveldb::WritableFile> file(opened);
  ASSERT_TRUE(file->Append(content).ok());
  ASSERT_TRUE(file->Sync().ok());
}

TEST(LogStore, RefusesAFormatVersionThatItDoesNotKnow) {
  LogRig rig(12);
  ASSERT_TRUE(rig.Open().ok());
  rig.Reboot();
  std::string head = EncodeSegmentHead({.segment = 1, .first_segment = 1, .first_sequence = 1});
  head = WithFormatVersion(head, 7);
  Overwrite(&rig, "log/0000000001.segment", head);
  const absl::Status opened = rig.Open();
  EXPECT_EQ(opened.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(opened.message()),
              HasSubstr("the log has format version 7, and this program knows version 1 only"));
}

TEST(LogStore, NoticesThatASegmentIsMissing) {
  // The first, one in the middle, the last; and all of them.
  for (const int missing : {0, 1, -1, -2}) {
    SCOPED_TRACE(missing);
    LogRig rig(13, {.segment_bytes = kSmallSegment});
    ASSERT_TRUE(rig.Open().ok());
    for (uint64_t slot = 1; slot <= 40; ++slot) {
      ASSERT_TRUE(rig.Write(Entry(1, slot, std::string(2000, 'v'))).ok());
    }
    rig.Reboot();
    const std::vector<std::string> segments = rig.Segments();
    ASSERT_GE(segments.size(), 3u);
    for (size_t i = 0; i < segments.size(); ++i) {
      const bool remove = missing == -2 || i == static_cast<size_t>(missing) ||
                          (missing == -1 && i + 1 == segments.size());
      if (remove) ASSERT_TRUE(rig.world().files().RemoveFile(segments[i]).ok());
    }
    const absl::Status opened = rig.Open();
    EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(opened.message()), HasSubstr("is missing"));
  }
}

void FlipByte(LogRig* rig, const std::string& path, uint64_t offset) {
  ASSERT_TRUE(rig->disk().FlipBit(path, 8 * offset + 3));
}

TEST(LogStore, SaysSoIfBothCopiesOfWhatWasAcknowledgedAreBad) {
  // Three batches: that of the start, one with the value, and that of the end.
  const uint64_t value_at = BatchEndOffset(kSegmentHeadBytes, 0);
  std::string payload;
  AppendRecord({RecordKind::kEntry, GroupId(1), Slot(1), "value"}, &payload);
  const uint64_t end_at = BatchEndOffset(value_at, payload.size());
  struct Case {
    uint64_t first, twin;
    bool newer_segment;  // It was made, and the program ended before anything was in it.
    absl::StatusCode opened;
  };
  const Case cases[] = {
      {kSegmentHeadBytes, RoundUpToPage(kSegmentHeadBytes + 1), false, absl::StatusCode::kDataLoss},
      {value_at, RoundUpToPage(value_at + 1), false, absl::StatusCode::kDataLoss},
      {end_at, RoundUpToPage(end_at + 1), false, absl::StatusCode::kOk},
      {end_at, RoundUpToPage(end_at + 1), true, absl::StatusCode::kDataLoss},
      {0, kSegmentTwinOffset, false, absl::StatusCode::kDataLoss},
  };
  for (const Case& damage : cases) {
    SCOPED_TRACE(damage.first);
    LogRig rig(16);
    ASSERT_TRUE(rig.Open().ok());
    ASSERT_TRUE(rig.Write(Entry(1, 1, "value")).ok());
    rig.Reboot();
    if (damage.newer_segment) {
      Overwrite(&rig, "log/0000000002.segment",
                EncodeSegmentHead({.segment = 2, .first_segment = 1, .first_sequence = 4}));
    }
    FlipByte(&rig, "log/0000000001.segment", damage.first + 20);
    FlipByte(&rig, "log/0000000001.segment", damage.twin + 1);
    EXPECT_EQ(rig.Open().code(), damage.opened);
  }
}

TEST(LogStore, IsDamagedForGoodWhenAReadFindsBothCopiesBad) {
  LogRig rig(17, {.cache_bytes_max = 0});
  ASSERT_TRUE(rig.Open().ok());
  const std::string value(100, 'v');
  ASSERT_TRUE(rig.Write(Entry(1, 1, value)).ok());
  ASSERT_TRUE(rig.Write(Entry(1, 2, "whole")).ok());
  const std::string segment = rig.Segments()[0];
  const uint64_t first = BatchEndOffset(kSegmentHeadBytes, 0);
  FlipByte(&rig, segment, first + kBatchHeaderBytes + 50);
  FlipByte(&rig, segment, RoundUpToPage(first + 1) + kBatchHeaderBytes + 50);
  EXPECT_EQ(rig.Read(GroupId(1)).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(rig.log().state(), LogState::kDamaged);
  EXPECT_EQ(rig.Write(Entry(1, 3, "refused")).code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(rig.Read(GroupId(1), 2).value(), ElementsAre(At(2, "whole")));
  rig.Close();
  EXPECT_EQ(rig.Open().code(), absl::StatusCode::kDataLoss);
}

// ---- Cleaning.

TEST(LogStore, FilesStayBelowTwiceWhatLivesAndAFewSegments) {
  LogRig rig(14, {.segment_bytes = kSmallSegment});
  ASSERT_TRUE(rig.Open().ok());
  for (uint64_t group = 100; group < 120; ++group) {
    ASSERT_TRUE(rig.Write({.group = GroupId(group),
                           .meta = absl::StrCat("idle ", group),
                           .entries = {At(3, "kept")},
                           .truncate_before = Slot(3)})
                    .ok());
  }
  for (uint64_t slot = 1; slot <= 3000; ++slot) {
    LogWrite write = Entry(1, slot, std::string(300, 'v'));
    write.meta = absl::StrCat("promised ", slot);
    if (slot % 10 == 0) write.truncate_before = Slot(slot - 5);
    ASSERT_TRUE(rig.Write(std::move(write)).ok());
  }
  rig.RunFor(runtime::Duration(1'000'000'000));
  EXPECT_LE(rig.disk().used_bytes(), 6 * kSmallSegment);
  rig.Crash();
  ASSERT_TRUE(rig.Open().ok());
  const std::vector<RecoveredGroup> groups = rig.log().TakeRecovered();
  ASSERT_THAT(groups, SizeIs(21));
  EXPECT_EQ(groups[0].meta, "promised 3000");
  EXPECT_EQ(groups[0].first, Slot(2995));
  EXPECT_EQ(groups[20].meta, "idle 119");
  EXPECT_EQ(groups[20].truncated_before, Slot(3));
  EXPECT_THAT(rig.Read(GroupId(119)).value(), ElementsAre(At(3, "kept")));
}

TEST(LogStore, ManyRestartsLeaveFewSegments) {
  LogRig rig(15);
  for (uint64_t slot = 1; slot <= 60; ++slot) {
    ASSERT_TRUE(rig.Open().ok());
    ASSERT_TRUE(rig.Write(Entry(1, slot, "value")).ok());
    rig.RunFor(runtime::Duration(10'000'000));
    rig.Crash();
  }
  EXPECT_LE(rig.Segments().size(), 12u);
  ASSERT_TRUE(rig.Open().ok());
  EXPECT_THAT(rig.Read(GroupId(1)).value(), SizeIs(60));
}

}  // namespace
}  // namespace storage
