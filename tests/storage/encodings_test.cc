// The small encodings under the store, and its chain of batches.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runtime/random.h"
#include "storage/coding.h"
#include "storage/crc32c.h"
#include "storage/stored_key.h"
#include "storage/write_chain.h"

namespace storage {
namespace {

using runtime::Timestamp;

// RFC 3720, B.4.
TEST(Crc32cTest, IsCastagnolisByInstructionAndByTable) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  runtime::Random random(1);
  std::string text;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(Crc32c(text), ExtendCrc32cByTable(0, text));
    const auto cut = static_cast<size_t>(random.Uniform(0, static_cast<int64_t>(text.size())));
    EXPECT_EQ(Crc32c(text), ExtendCrc32c(Crc32c(text.substr(0, cut)), text.substr(cut)));
    EXPECT_EQ(UnmaskCrc32c(MaskCrc32c(Crc32c(text))), Crc32c(text));
    text.push_back(static_cast<char>(random.Next()));
  }
}

TEST(CodingTest, WhatWasAppendedIsTakenAndNothingMore) {
  std::string bytes;
  AppendFixed32(0xdeadbeef, &bytes);
  AppendVarint(300, &bytes);
  AppendVarint(~uint64_t{0}, &bytes);
  AppendBytes("text", &bytes);
  AppendFixed64(7, &bytes);
  Decoder decoder(bytes);
  EXPECT_EQ(decoder.TakeFixed32(), 0xdeadbeef);
  EXPECT_EQ(decoder.TakeVarint(), 300u);
  EXPECT_EQ(decoder.TakeVarint(), ~uint64_t{0});
  EXPECT_EQ(decoder.TakeBytes(), "text");
  EXPECT_EQ(decoder.TakeFixed64(), 7u);
  EXPECT_TRUE(decoder.Finish("it").ok());
  for (const std::string& garbage :
       {std::string("\x80"), std::string("\x80\0", 2), std::string(10, '\xff')}) {
    Decoder bad(garbage);
    EXPECT_EQ(bad.TakeVarint(), 0u);
    EXPECT_FALSE(bad.Finish("it").ok());
  }
  Decoder cut("\x05text");
  EXPECT_EQ(cut.TakeBytes(), "");
  EXPECT_TRUE(cut.failed());
}

TEST(StoredKeyTest, VersionsStandTogetherNewestFirst) {
  const std::vector<std::pair<Key, int64_t>> ascending = {{"", 5},
                                                          {"", -5},
                                                          {std::string("\0", 1), 9},
                                                          {std::string("\0\xff", 2), 9},
                                                          {"a", INT64_MAX},
                                                          {"a", 1},
                                                          {"a", 0},
                                                          {"a", -1},
                                                          {"a", INT64_MIN},
                                                          {std::string("a\0", 2), 3},
                                                          {"a\x01", 3},
                                                          {"b", 7}};
  std::string before;
  for (const auto& [key, time] : ascending) {
    const std::string stored = DataKey(key, Timestamp(time));
    EXPECT_LT(before, stored) << key << " " << time;
    before = stored;
    const auto parts = SplitDataKey(stored);
    ASSERT_TRUE(parts.ok());
    EXPECT_EQ(parts->timestamp, Timestamp(time));
    EXPECT_EQ(*KeyOfDataPrefix(parts->prefix), key);
    EXPECT_TRUE(StoredData({key, KeyAfter(key)}).Contains(stored));
    EXPECT_FALSE(StoredData({KeyAfter(key), ""}).Contains(stored));
  }
}

TEST(StoredKeyTest, ARecordOfAGroupIsReadBack) {
  const GroupRecord record{Timestamp(-3), InstallMark{9, {"a", ""}, "token"}};
  const auto read = DecodeGroupRecord(EncodeGroupRecord(record));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->horizon, Timestamp(-3));
  EXPECT_EQ(read->install->snapshot, 9u);
  EXPECT_EQ(read->install->range, (KeyRange{"a", ""}));
  EXPECT_EQ(read->install->resume_token, "token");
  EXPECT_FALSE(DecodeGroupRecord("garbage").ok());
}

// The links that a chain wrote, by ring position, as a store would hold them.
class Ring {
 public:
  void Write(WriteChain* chain, size_t bytes) {
    leveldb::WriteBatch batch;
    batch.Put("k", std::string(bytes, 'v'));
    chain->Append(&batch);
    Reader reader(this);
    ASSERT_TRUE(batch.Iterate(&reader).ok());
  }
  std::vector<ChainLink> Links() const {
    std::vector<ChainLink> links;
    for (const auto& [key, link] : links_) links.push_back(link);
    return links;
  }
  std::map<std::string, ChainLink>& links() { return links_; }

 private:
  struct Reader : leveldb::WriteBatch::Handler {
    explicit Reader(Ring* its_ring) : ring(its_ring) {}
    void Put(const leveldb::Slice& key, const leveldb::Slice& value) override {
      if (key == "k") return;
      const auto bytes = Unseal({key.data(), key.size()}, {value.data(), value.size()});
      ring->links_[key.ToString()] = *DecodeChainLink(*bytes);
    }
    void Delete(const leveldb::Slice&) override {}
    Ring* ring;
  };
  std::map<std::string, ChainLink> links_;
};

TEST(WriteChainTest, GoesOnAcrossOpeningsAndAroundTheRing) {
  Ring ring;
  uint64_t batches = 0;
  for (int opening = 0; opening < 5; ++opening) {
    WriteChain chain(1000);
    if (opening > 0) {
      ASSERT_TRUE(chain.Continue(ring.Links()).ok()) << opening;
    }
    for (int i = 0; i < 2500; ++i, ++batches) ring.Write(&chain, 300);
    EXPECT_EQ(chain.last_batch(), batches);
  }
  EXPECT_EQ(ring.Links().size(), WriteChain::kLinks);
}

TEST(WriteChainTest, AMissingLinkOrAGapBetweenTwoIsAHole) {
  const auto is_hole = [](const std::vector<ChainLink>& links) {
    return absl::IsDataLoss(WriteChain(1000).Continue(links));
  };
  EXPECT_TRUE(is_hole({}));
  EXPECT_FALSE(is_hole({{1, 1, 4}}));
  EXPECT_FALSE(is_hole({{2, 5, 9}, {1, 1, 4}}));
  EXPECT_TRUE(is_hole({{1, 1, 4}, {2, 6, 9}})) << "batch 5 is missing";
  EXPECT_TRUE(is_hole({{1, 1, 4}, {3, 10, 12}})) << "link 2 is missing";
  EXPECT_TRUE(is_hole({{2, 5, 9}})) << "link 1 is missing";
  EXPECT_TRUE(is_hole({{1, 2, 4}})) << "batch 1 is missing";
  EXPECT_TRUE(is_hole({{1, 1, 0}})) << "no batch";
}

}  // namespace
}  // namespace storage
