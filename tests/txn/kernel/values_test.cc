// The small values of the transaction kernels: ids, ages, modes, ranges, and the sentences made of
// them.
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "runtime/random.h"
#include "txn/kernel/lock_conflict.h"

namespace txn {
namespace {

using namespace std::chrono_literals;

TransactionId Of(int64_t begun, uint32_t gateway, uint64_t sequence) {
  return {Timestamp(begun), NodeId(gateway), sequence};
}

std::string Encode(const TransactionId& id) {
  std::string bytes;
  AppendTransactionId(id, &bytes);
  return bytes;
}

// The ends of all its ranges, and some between.
std::vector<TransactionId> SomeIds() {
  std::vector<TransactionId> ids;
  runtime::Random random(1);
  for (const int64_t begun :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, int64_t{0}, int64_t{31},
        int64_t{1'764'000'000'123'456'789}, std::numeric_limits<int64_t>::max()}) {
    for (const uint32_t gateway : {uint32_t{0}, uint32_t{12}, uint32_t{0xffffffff}}) {
      for (const uint64_t sequence :
           {uint64_t{0}, uint64_t{33}, random.Next(), std::numeric_limits<uint64_t>::max()}) {
        ids.push_back(Of(begun, gateway, sequence));
      }
    }
  }
  return ids;
}

TEST(TransactionId, IsReadAsItIsPrinted) {
  EXPECT_EQ(ToText(Of(1'764'000'000'123'456'789, 3, 42)), "1gyqwmxqjbk8n-3-1a");
  EXPECT_EQ(ToText(Of(0, 0, 0)), "0-0-0");
  for (const TransactionId& id : SomeIds()) {
    EXPECT_EQ(ParseTransactionId(ToText(id)).value(), id) << id;
  }
}

TEST(TransactionId, IsReadAsPeopleTypeIt) {
  EXPECT_EQ(ParseTransactionId("10A-3-10").value(), ParseTransactionId("ioa-3-Lo").value());
}

TEST(TransactionId, IsRefusedIfItIsNone) {
  for (const char* const text : {"", "1", "1-2", "1-2-3-4", "1--3", "-1-2", "u-2-3", "1-a-3",
                                 "1-4294967296-3", "1-2-g000000000000", " 1-2-3x!"}) {
    EXPECT_EQ(ParseTransactionId(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(TransactionId, SortsAsItsBytesDo) {
  const std::vector<TransactionId> ids = SomeIds();
  for (const TransactionId& a : ids) {
    EXPECT_EQ(Encode(a).size(), kTransactionIdBytes);
    EXPECT_EQ(DecodeTransactionId(Encode(a)).value(), a);
    for (const TransactionId& b : ids) EXPECT_EQ(a < b, Encode(a) < Encode(b)) << a << " " << b;
  }
}

TEST(TransactionId, IsDecodedOnlyFromItsSize) {
  EXPECT_EQ(DecodeTransactionId("").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeTransactionId(std::string(21, 'x')).status().code(), absl::StatusCode::kDataLoss);
}

TEST(TransactionId, CanBeHashed) {
  absl::flat_hash_set<TransactionId> hashed;
  for (const TransactionId& id : SomeIds()) EXPECT_TRUE(hashed.insert(id).second) << id;
  for (const TransactionId& id : SomeIds()) EXPECT_TRUE(hashed.contains(id)) << id;
}

TEST(Age, IsThatOfTheFirstAttempt) {
  const TransactionId first = Of(100, 1, 1);
  const TransactionId later = Of(200, 1, 2);
  EXPECT_LT(Age::Of(first), Age::Of(later));
  // Two that began at the same moment have an order all the same.
  EXPECT_LT(Age::Of(Of(100, 1, 1)), Age::Of(Of(100, 2, 1)));
}

TEST(LockMode, BearsWhatTheTableSays) {
  using enum LockMode;
  struct Row {
    LockMode wanted;
    bool conflicts[3];  // With shared, update, exclusive.
  };
  for (const Row& row : {Row{kShared, {false, false, true}}, Row{kUpdate, {false, true, true}},
                         Row{kExclusive, {true, true, true}}}) {
    for (const LockMode held : {kShared, kUpdate, kExclusive}) {
      EXPECT_EQ(Conflicts(row.wanted, held), row.conflicts[static_cast<int>(held)])
          << LockModeName(row.wanted) << " while another holds " << LockModeName(held);
      EXPECT_EQ(Conflicts(row.wanted, held), Conflicts(held, row.wanted));
    }
  }
}

TEST(KeyRange, MeetsAnotherInTheKeysOfBoth) {
  struct Row {
    KeyRange a, b;
    std::optional<KeyRange> both;
  };
  for (const Row& row :
       {Row{{"a", "c"}, {"b", "d"}, KeyRange{"b", "c"}}, Row{{"a", "c"}, {"c", "d"}, std::nullopt},
        Row{{"a", ""}, {"b", "d"}, KeyRange{"b", "d"}},
        Row{{"a", ""}, {"b", ""}, KeyRange{"b", ""}}, Row{{"", ""}, {"", ""}, KeyRange{"", ""}},
        Row{{"a", "b"}, {"", ""}, KeyRange{"a", "b"}}}) {
    EXPECT_EQ(Overlap(row.a, row.b), row.both.has_value()) << row.a.start << row.b.start;
    EXPECT_EQ(Overlap(row.b, row.a), row.both.has_value()) << row.a.start << row.b.start;
    if (!row.both) continue;
    EXPECT_EQ(Intersection(row.a, row.b), *row.both);
    EXPECT_EQ(Intersection(row.b, row.a), *row.both);
  }
  EXPECT_TRUE(IsPoint(PointRange("")));
  EXPECT_TRUE(IsPoint(PointRange("a")));
  EXPECT_FALSE(IsPoint({"a", "b"}));
  EXPECT_FALSE(IsPoint({"", ""}));
}

TEST(PrintKeys, EscapesBytes) {
  struct Row {
    KeyRange range;
    std::string text;
  };
  for (const Row& row : {Row{PointRange(std::string("a\x00\"", 3)), "key \"a\\x00\\\"\""},
                         Row{{"a", "c"}, "the keys from \"a\" to before \"c\""},
                         Row{{"a", ""}, "the keys from \"a\""}, Row{{"", ""}, "all keys"}}) {
    EXPECT_EQ(PrintKeys(row.range), row.text);
  }
}

TEST(LockConflict, NamesKeysAsItsTellerDoes) {
  LockConflict conflict;
  conflict.kind = LockConflict::Kind::kWaited;
  conflict.loser = {.transaction = Of(5'000, 1, 2),
                    .age = Age::Of(Of(5'000, 1, 2)),
                    .mode = LockMode::kExclusive,
                    .lasted = 5s};
  conflict.other = {.transaction = Of(1'000, 1, 1),
                    .age = Age::Of(Of(1'000, 1, 1)),
                    .holds = true,
                    .prepared = true,
                    .lasted = 7s};
  conflict.range = PointRange("7");
  EXPECT_EQ(
      Explain(conflict, [](const KeyRange&) { return "the row of accounts with id 7"; }),
      "transaction 4w8-1-2 waited 5 s for an exclusive lock on the row of accounts with id 7, "
      "where the prepared transaction z8-1-1 has held a shared lock for 7 s");
}

}  // namespace
}  // namespace txn
