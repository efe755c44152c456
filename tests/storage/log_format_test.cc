// The bytes of the log: they mean after decoding what they meant before, and nothing else is taken
// for them. docs/formats.md tells the same.
#include "storage/log_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/crc32c.h"
#include "storage/log_scan.h"

namespace storage {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kSalt = 0x1122334455667788;

std::string Hex(absl::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    hex += {kDigits[value / 16], kDigits[value % 16]};
  }
  return hex;
}

TEST(LogFormat, OfASegmentHeader) {
  const SegmentHeader header = {
      .segment = 5, .first_segment = 2, .salt = kSalt, .first_sequence = 77};
  const std::string head = EncodeSegmentHead(header);
  EXPECT_THAT(head, SizeIs(kSegmentHeadBytes));
  EXPECT_EQ(Hex(head.substr(0, 40)),
            "6973"
            "6f63686c6f67"
            "01000000"
            "05000000"
            "8877665544332211"
            "4d00000000000000"
            "02000000"
            "00000000");
  EXPECT_EQ(head.substr(0, kSegmentHeaderBytes), head.substr(kSegmentTwinOffset));
  EXPECT_EQ(DecodeSegmentHeader(head).value(), header);
  for (size_t i = 0; i < kSegmentHeaderBytes; ++i) {
    std::string bad = head;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_EQ(DecodeSegmentHeader(bad).status().code(), absl::StatusCode::kDataLoss) << i;
    int bad_copies = 0;
    EXPECT_EQ(DecodeSegmentHead(bad, &bad_copies).value(), header) << i;
    EXPECT_EQ(bad_copies, 1);
  }
}

TEST(LogFormat, OfABatchHeader) {
  const BatchHeader header = {.copy = BatchCopy::kTwin,
                              .payload_bytes = 3,
                              .payload_crc = 0x01020304,
                              .first_segment = 2,
                              .salt = kSalt,
                              .sequence = 77};
  const std::string encoded = EncodeBatchHeader(header);
  EXPECT_EQ(Hex(encoded.substr(0, 32)),
            "49534232"
            "03000000"
            "04030201"
            "02000000"
            "8877665544332211"
            "4d00000000000000");
  EXPECT_EQ(DecodeBatchHeader(encoded).value(), header);
  for (size_t i = 0; i < kBatchHeaderBytes; ++i) {
    std::string bad = encoded;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    EXPECT_FALSE(DecodeBatchHeader(bad).ok()) << i;
  }
  BatchHeader longer = header;
  longer.payload_bytes = kBatchPayloadBytesMax + 1;
  EXPECT_FALSE(DecodeBatchHeader(EncodeBatchHeader(longer)).ok());
}

TEST(LogFormat, OfRecords) {
  const std::vector<LogRecord> records = {
      {RecordKind::kErase, GroupId(300)},
      {RecordKind::kMeta, GroupId(1), Slot(), "meta"},
      {RecordKind::kEntry, GroupId(1), Slot(130), "value"},
      {RecordKind::kEntry, GroupId(~uint64_t{0}), Slot(~uint64_t{0}), ""},
      {RecordKind::kTruncate, GroupId(1), Slot(9)},
  };
  std::string payload;
  for (const LogRecord& record : records) AppendRecord(record, &payload);
  EXPECT_EQ(Hex(payload.substr(0, 10)),
            "01ac02"
            "020104"
            "6d657461");
  EXPECT_EQ(Hex(payload.substr(10, 5)),
            "03018201"
            "09");
  EXPECT_EQ(Hex(payload.substr(19, 5)), Hex("value"));
  RecordReader reader(payload);
  for (const LogRecord& record : records) EXPECT_EQ(reader.Next().value(), record);
  EXPECT_TRUE(reader.done());
  for (const std::string& bad : {std::string("\x05\x01"),
                                 std::string("\x03\x01\x01\x03"
                                             "abc"),
                                 std::string("\x02\x01\x09"
                                             "short"),
                                 std::string("\x04\x01")}) {
    EXPECT_FALSE(RecordReader(bad).Next().ok()) << Hex(bad);
  }
}

// A segment with batches of these payloads, and where each copy of each begins.
struct Built {
  std::string bytes =
      EncodeSegmentHead({.segment = 1, .first_segment = 1, .salt = kSalt, .first_sequence = 1});
  std::vector<std::pair<size_t, size_t>> copies;

  void Add(const std::string& payload, uint64_t salt = kSalt) {
    BatchHeader header = {.copy = BatchCopy::kFirst,
                          .payload_bytes = static_cast<uint32_t>(payload.size()),
                          .payload_crc = Crc32c(payload),
                          .first_segment = 1,
                          .salt = salt,
                          .sequence = copies.size() + 1};
    const size_t first = bytes.size();
    const size_t twin = BatchTwinOffset(first, payload.size());
    bytes += EncodeBatchHeader(header) + payload;
    bytes.resize(twin);
    header.copy = BatchCopy::kTwin;
    bytes += EncodeBatchHeader(header) + payload;
    copies.emplace_back(first, twin);
  }
  void Break(size_t at) { bytes[at] = static_cast<char>(bytes[at] ^ 0x10); }
};

Built ThreeBatches() {
  Built built;
  for (const size_t size : {100, 9000, 0}) built.Add(std::string(size, 'p'));
  return built;
}

TEST(LogScan, CopiesNeverShareAPage) {
  const Built built = ThreeBatches();
  for (const auto& [first, twin] : built.copies) {
    EXPECT_EQ(twin % kLogPageBytes, 0u);
    EXPECT_GT(twin, first);
  }
}

TEST(LogScan, AnyOneBadByteIsSurvivedAndSeenUnlessItIsPadding) {
  const Built built = ThreeBatches();
  for (size_t at = 0; at < built.bytes.size(); ++at) {
    Built bad = built;
    bad.Break(at);
    const auto scan = ScanSegment(bad.bytes, 4);
    ASSERT_TRUE(scan.ok()) << at << ' ' << scan.status();
    ASSERT_THAT(scan->batches, SizeIs(3)) << at;
    EXPECT_EQ(scan->batches[1].payload, std::string(9000, 'p')) << at;
    EXPECT_EQ(scan->batches[1].payload_offset, built.copies[1].first + kBatchHeaderBytes);
    bool is_copy = at < kSegmentHeaderBytes || (at >= kSegmentTwinOffset && at < kSegmentHeadBytes);
    const size_t sizes[] = {100, 9000, 0};
    for (size_t i = 0; i < 3; ++i) {
      for (const size_t begin : {built.copies[i].first, built.copies[i].second}) {
        is_copy |= at >= begin && at < begin + kBatchHeaderBytes + sizes[i];
      }
    }
    EXPECT_EQ(scan->bad_copies, is_copy ? 1 : 0) << at;
  }
}

TEST(LogScan, BothCopiesBadIsLostUnlessNothingCameAfter) {
  for (const size_t batch : {0, 1, 2}) {
    SCOPED_TRACE(batch);
    Built built = ThreeBatches();
    built.Break(built.copies[batch].first + 20);
    built.Break(built.copies[batch].second + 8);
    // With a successor nothing may be missing; as the last one it may lack its last batch.
    EXPECT_EQ(ScanSegment(built.bytes, 4).status().code(), absl::StatusCode::kDataLoss);
    const auto last = ScanSegment(built.bytes, std::nullopt);
    if (batch < 2) {
      EXPECT_THAT(std::string(last.status().message()), HasSubstr("both copies of log batch"));
    } else {
      ASSERT_TRUE(last.ok());
      EXPECT_THAT(last->batches, SizeIs(2));
    }
  }
}

TEST(LogScan, ATornTailIsNotThere) {
  const Built built = ThreeBatches();
  const size_t second_first_end = built.copies[1].first + kBatchHeaderBytes + 9000;
  for (size_t size = kSegmentHeadBytes; size < built.copies[2].first; size += 97) {
    const size_t first_first_end = built.copies[0].first + kBatchHeaderBytes + 100;
    const size_t whole = (size >= first_first_end ? 1 : 0) + (size >= second_first_end ? 1 : 0);
    // A real file may have zeros behind what was written.
    for (const size_t zeros : {0, 20'000}) {
      const std::string torn = built.bytes.substr(0, size) + std::string(zeros, '\0');
      const auto scan = ScanSegment(torn, std::nullopt);
      ASSERT_TRUE(scan.ok()) << size;
      EXPECT_THAT(scan->batches, SizeIs(whole)) << size;
      EXPECT_EQ(scan->bad_copies, 0) << "a tail with one copy is no damage";
    }
  }
}

TEST(LogScan, NothingIsMistakenForABatch) {
  // A user stored what looks like a later batch; only the salt of the segment is unknown to him.
  Built forged;
  forged.Add("");
  forged.Add("");
  forged.Add("", kSalt + 1);
  const std::string fake = forged.bytes.substr(forged.copies[2].first);
  Built built;
  built.Add("");
  built.Add(fake);
  built.Break(built.copies[1].first);
  built.Break(built.copies[1].second);
  const auto scan = ScanSegment(built.bytes, std::nullopt);
  ASSERT_TRUE(scan.ok()) << scan.status();
  EXPECT_THAT(scan->batches, SizeIs(1));
}

TEST(LogScan, WhatASuccessorDisownsDoesNotCount) {
  const auto scan = ScanSegment(ThreeBatches().bytes, 2);
  ASSERT_TRUE(scan.ok());
  EXPECT_THAT(scan->batches, SizeIs(1));
  EXPECT_THAT(ScanSegment(ThreeBatches().bytes, 1)->batches, IsEmpty());
}

}  // namespace
}  // namespace storage
