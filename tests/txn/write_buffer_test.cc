// A transaction's writes: savepoints, bounds, and pages of scans with them laid over, alone and on
// random walks beside the plainest model. ISOCHRON_WALK_SEEDS=FROM-TO walks more.
#include "txn/write_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "tests/trials.h"
#include "tests/txn/walk_seeds.h"
#include "txn/page_maker.h"

namespace txn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::Pointee;

constexpr size_t kPlenty = 1 << 20;
constexpr size_t kOverhead = WriteBuffer::kWriteOverhead;

TEST(WriteBuffer, RemembersTheLastWriteOfAKey) {
  WriteBuffer writes(kPlenty);
  EXPECT_TRUE(writes.empty());
  ASSERT_TRUE(writes.Set("a", "1").ok());
  ASSERT_TRUE(writes.Set("b", "2").ok());
  ASSERT_TRUE(writes.Set("a", "3").ok());
  ASSERT_TRUE(writes.Set("b", std::nullopt).ok());
  EXPECT_THAT(writes.Find("a"), Pointee(WriteBuffer::Value("3")));
  EXPECT_THAT(writes.Find("b"), Pointee(WriteBuffer::Value(std::nullopt)));
  EXPECT_THAT(writes.Find("c"), IsNull());
  EXPECT_EQ(writes.bytes(), 2 * kOverhead + 3);
}

TEST(WriteBuffer, RollsBackToASavepointAgainAndAgain) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("a", "1").ok());
  const size_t bytes = writes.bytes();
  const WriteBuffer::Savepoint first = writes.Save();
  ASSERT_TRUE(writes.Set("a", "2").ok());
  const WriteBuffer::Savepoint second = writes.Save();
  ASSERT_TRUE(writes.Set("a", "3").ok());
  ASSERT_TRUE(writes.Set("b", "3").ok());
  writes.RollBackTo(second);
  EXPECT_THAT(writes.Find("a"), Pointee(WriteBuffer::Value("2")));
  EXPECT_THAT(writes.Find("b"), IsNull());
  ASSERT_TRUE(writes.Set("b", "4").ok());
  writes.RollBackTo(second);
  EXPECT_THAT(writes.Find("b"), IsNull());
  writes.RollBackTo(first);
  EXPECT_THAT(writes.Find("a"), Pointee(WriteBuffer::Value("1")));
  EXPECT_EQ(writes.bytes(), bytes);
  ASSERT_TRUE(writes.Set("a", std::nullopt).ok());
  writes.RollBackTo(first);
  EXPECT_THAT(writes.Find("a"), Pointee(WriteBuffer::Value("1")));
}

TEST(WriteBuffer, SavepointsWithNothingBetweenThemAreOne) {
  WriteBuffer writes(kPlenty);
  const WriteBuffer::Savepoint first = writes.Save();
  EXPECT_EQ(writes.Save(), first);
  ASSERT_TRUE(writes.Set("a", "1").ok());
  EXPECT_NE(writes.Save(), first);
}

TEST(WriteBuffer, RefusesTooMuchAndStaysAsItWas) {
  WriteBuffer writes(2 * kOverhead + 10);
  ASSERT_TRUE(writes.Set("a", "1234").ok());
  ASSERT_TRUE(writes.Set("b", "1234").ok());
  EXPECT_TRUE(absl::IsResourceExhausted(writes.Set("b", "12345")));
  EXPECT_TRUE(absl::IsResourceExhausted(writes.Set("c", "")));
  EXPECT_THAT(writes.Find("b"), Pointee(WriteBuffer::Value("1234")));
  EXPECT_THAT(writes.Find("c"), IsNull());
  EXPECT_TRUE(writes.Set("b", "123").ok());
}

TEST(WriteBuffer, WhatASavepointKeepsIsCountedOnce) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("a", "1234").ok());
  writes.Save();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writes.Set("a", "5").ok());
  EXPECT_EQ(writes.bytes(), 2 * kOverhead + 5 + 2);
}

// --- Pages ---

std::vector<ScannedRow> Rows(std::initializer_list<const char*> keys) {
  std::vector<ScannedRow> rows;
  for (const char* const key : keys) rows.push_back({key, "stored"});
  return rows;
}

std::vector<std::string> Texts(const ScanPage& page) {
  std::vector<std::string> texts;
  for (const ScannedRow& row : page.rows) texts.push_back(absl::StrCat(row.key, "=", row.value));
  if (page.rest) texts.push_back(absl::StrCat(page.rest->start, "..", page.rest->end));
  return texts;
}

TEST(PageMaker, LaysWritesOverRows) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("a", "own").ok());
  ASSERT_TRUE(writes.Set("c", "own").ok());
  ASSERT_TRUE(writes.Set("d", std::nullopt).ok());
  ASSERT_TRUE(writes.Set("x", "own").ok());
  for (const bool backward : {false, true}) {
    PageMaker page({.range = {"b", "m"}, .backward = backward}, &writes);
    auto rows = Rows({"b", "c", "d", "e"});
    if (backward) std::reverse(rows.begin(), rows.end());
    page.Add({"b", "m"}, rows, std::nullopt);
    ASSERT_TRUE(page.done());
    std::vector<std::string> expected = {"b=stored", "c=own", "e=stored"};
    if (backward) std::reverse(expected.begin(), expected.end());
    EXPECT_EQ(Texts(page.Take()), expected);
  }
}

TEST(PageMaker, StopsAtItsLimitAndSaysWhereToGoOn) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("c", "own").ok());
  PageMaker forward({.range = {"a", ""}, .rows_max = 2}, &writes);
  forward.Add({"a", ""}, Rows({"b", "d"}), KeyRange{"e", ""});
  ASSERT_TRUE(forward.done());
  EXPECT_THAT(Texts(forward.Take()), ElementsAre("b=stored", "c=own", "d.."));
  PageMaker backward({.range = {"", "m"}, .backward = true, .rows_max = 2}, &writes);
  backward.Add({"", "m"}, Rows({"d", "b"}), KeyRange{"", "b"});
  ASSERT_TRUE(backward.done());
  EXPECT_THAT(Texts(backward.Take()),
              ElementsAre("d=stored", "c=own", absl::StrCat("..b", std::string(1, '\0'))));
}

TEST(PageMaker, APageThatIsExactlyFullHasNoRest) {
  WriteBuffer writes(kPlenty);
  PageMaker page({.range = {"a", "c"}, .rows_max = 2}, &writes);
  page.Add({"a", "c"}, Rows({"a", "b"}), std::nullopt);
  EXPECT_THAT(Texts(page.Take()), ElementsAre("a=stored", "b=stored"));
}

TEST(PageMaker, AsksForMoreThanItsOwnDeletionsHide) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("b", std::nullopt).ok());
  ASSERT_TRUE(writes.Set("c", std::nullopt).ok());
  ASSERT_TRUE(writes.Set("d", "own").ok());
  PageMaker page({.range = {"a", "m"}, .rows_max = 3}, &writes);
  EXPECT_EQ(page.rows_wanted(), 5);
}

TEST(PageMaker, TakesStretchAfterStretch) {
  WriteBuffer writes(kPlenty);
  ASSERT_TRUE(writes.Set("n", "own").ok());
  PageMaker page({.range = {"", ""}, .backward = true}, &writes);
  page.Add({"p", ""}, {}, std::nullopt);
  EXPECT_EQ(page.left(), (KeyRange{"", "p"}));
  page.Add({"h", "p"}, Rows({"o"}), KeyRange{"h", "o"});
  EXPECT_EQ(page.left(), (KeyRange{"", "o"}));
  page.Add({"h", "o"}, Rows({"i"}), std::nullopt);
  page.Add({"", "h"}, {}, std::nullopt);
  ASSERT_TRUE(page.done());
  EXPECT_THAT(Texts(page.Take()), ElementsAre("o=stored", "n=own", "i=stored"));
}

// --- Walks ---

using Model = std::map<std::string, std::optional<std::string>>;

std::string RandomKey(runtime::Random* random) {
  std::string key(1, static_cast<char>('a' + random->Uniform(0, 11)));
  if (random->Chance(0.3)) key.push_back(random->Chance(0.5) ? '\0' : 'x');
  return key;
}

KeyRange RandomRange(runtime::Random* random) {
  return {random->Chance(0.2) ? "" : RandomKey(random),
          random->Chance(0.2) ? "" : RandomKey(random)};
}

size_t BytesOf(const ScannedRow& row) { return row.key.size() + row.value.size(); }

// As a shard gives it.
std::pair<std::vector<ScannedRow>, std::optional<KeyRange>> StoredPage(const Model& stored,
                                                                       const ScanQuery& query) {
  std::vector<ScannedRow> rows;
  for (const auto& [key, value] : stored) {
    if (query.range.Contains(key)) rows.push_back({key, *value});
  }
  if (query.backward) std::reverse(rows.begin(), rows.end());
  size_t kept = 0;
  size_t bytes = 0;
  while (kept < rows.size() && kept < query.rows_max && bytes < query.bytes_max) {
    bytes += BytesOf(rows[kept++]);
  }
  if (kept == rows.size()) return {rows, std::nullopt};
  rows.resize(kept);
  KeyRange rest = query.range;
  if (query.backward) {
    rest.end = rows.back().key;
  } else {
    rest.start = storage::KeyAfter(rows.back().key);
  }
  return {rows, rest};
}

// The next page, over shards that end at random keys.
ScanPage MakePage(const Model& stored, const WriteBuffer& writes, const ScanQuery& query,
                  runtime::Random* random) {
  PageMaker page(query, &writes);
  while (!page.done()) {
    KeyRange stretch = page.left();
    const std::string cut = RandomKey(random);
    if (random->Chance(0.5) && cut > stretch.start && stretch.Contains(cut)) {
      (query.backward ? stretch.start : stretch.end) = cut;
    }
    auto [rows, rest] = StoredPage(stored, {.range = stretch,
                                            .backward = query.backward,
                                            .rows_max = page.rows_wanted(),
                                            .bytes_max = page.bytes_wanted()});
    page.Add(stretch, std::move(rows), rest);
  }
  return page.Take();
}

// All rows of a range, page by page; what is wrong with the pages.
std::string CheckScan(const Model& stored, const Model& seen, const WriteBuffer& writes,
                      runtime::Random* random) {
  ScanQuery query{.range = RandomRange(random), .backward = random->Chance(0.5)};
  query.rows_max = static_cast<size_t>(random->Uniform(1, 6));
  query.bytes_max = static_cast<size_t>(random->Uniform(1, 40));
  std::vector<ScannedRow> expected;
  for (const auto& [key, value] : seen) {
    if (query.range.Contains(key)) expected.push_back({key, *value});
  }
  if (query.backward) std::reverse(expected.begin(), expected.end());
  std::vector<ScannedRow> rows;
  for (int pages = 0;; ++pages) {
    const ScanPage page = MakePage(stored, writes, query, random);
    size_t bytes = 0;
    for (const ScannedRow& row : page.rows) bytes += BytesOf(row);
    if (!page.rows.empty() && bytes - BytesOf(page.rows.back()) >= query.bytes_max) {
      return "a page has too many bytes";
    }
    if (page.rows.size() > query.rows_max) return "a page has too many rows";
    if (page.rest && page.rows.size() < query.rows_max && bytes < query.bytes_max) {
      return "a page stops before its limit";
    }
    rows.insert(rows.end(), page.rows.begin(), page.rows.end());
    if (!page.rest) break;
    query.range = *page.rest;
    if (pages == 100) return "the pages do not end";
  }
  return rows == expected ? "" : absl::StrCat(rows.size(), " rows, not the ", expected.size());
}

std::string Walk(uint64_t seed) {
  runtime::Random random(seed);
  Model stored;
  for (int i = 0; i < 12; ++i) stored[RandomKey(&random)] = "stored";
  WriteBuffer writes(kPlenty);
  Model own;
  std::vector<std::pair<WriteBuffer::Savepoint, Model>> savepoints;
  for (int step = 0; step < 60; ++step) {
    const int64_t what = random.Uniform(0, 9);
    if (what < 5) {
      const std::string key = RandomKey(&random);
      std::optional<std::string> value;
      if (random.Chance(0.6)) value = absl::StrCat("own ", step);
      if (!writes.Set(key, value).ok()) return "a write was refused";
      own[key] = value;
    } else if (what == 5) {
      savepoints.emplace_back(writes.Save(), own);
    } else if (what == 6 && !savepoints.empty()) {
      const auto chosen =
          static_cast<size_t>(random.Uniform(0, static_cast<int64_t>(savepoints.size()) - 1));
      writes.RollBackTo(savepoints[chosen].first);
      own = savepoints[chosen].second;
      savepoints.resize(chosen + 1);
    }
    Model kept;
    for (const auto& [key, written] : writes.writes()) kept[key] = written.value;
    if (kept != own) return absl::StrCat("other writes in step ", step);
    Model seen = stored;
    for (const auto& [key, value] : own) {
      if (value) {
        seen[key] = value;
      } else {
        seen.erase(key);
      }
    }
    const std::string wrong = CheckScan(stored, seen, writes, &random);
    if (!wrong.empty()) return absl::StrCat(wrong, " in step ", step);
  }
  return "";
}

TEST(WriteBufferWalk, PagesAreThoseOfTheModel) { WalkSeeds(tests::Trials(2000), Walk); }

}  // namespace
}  // namespace txn
