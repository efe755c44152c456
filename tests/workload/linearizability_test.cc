// The checker of registers: histories that can have been, and each way in which one cannot.
#include "workload/linearizability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/random.h"

namespace workload {
namespace {

using runtime::MonotonicTime;
using ::testing::HasSubstr;

RegisterValue ParseValue(const std::string& text) {
  if (text == "-") return std::nullopt;
  return text;
}

// One operation a line: "client begin end action", with one of these actions; an end of "?" is
// never, and the outcome unknown. "-" is no value.
//   read V | write V | cas EXPECTED V | mismatch EXPECTED V FOUND | failed-write V
std::vector<RegisterOperation> Parse(const std::string& text) {
  std::vector<RegisterOperation> history;
  for (const auto line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    RegisterOperation operation;
    operation.key = "k";
    EXPECT_TRUE(absl::SimpleAtoi(words[0], &operation.client));
    int64_t begin = 0;
    EXPECT_TRUE(absl::SimpleAtoi(words[1], &begin));
    operation.invoked = MonotonicTime(begin);
    const bool ended = words[2] != "?";
    int64_t end = 0;
    if (ended) {
      EXPECT_TRUE(absl::SimpleAtoi(words[2], &end));
      operation.completed = MonotonicTime(end);
      operation.outcome = Outcome::kOk;
    }
    const std::string& action = words[3];
    if (action == "read") {
      operation.found = ParseValue(words[4]);
    } else if (action == "write" || action == "failed-write") {
      operation.action = RegisterAction::kWrite;
      operation.written = ParseValue(words[4]);
      if (action == "failed-write") operation.outcome = Outcome::kFailed;
    } else {
      operation.action = RegisterAction::kCompareAndSet;
      operation.expected = ParseValue(words[4]);
      operation.written = ParseValue(words[5]);
      if (action == "mismatch") {
        operation.outcome = Outcome::kMismatch;
        operation.found = ParseValue(words[6]);
      }
    }
    history.push_back(operation);
  }
  return history;
}

struct Case {
  const char* name;
  const char* history;
};

class GoodHistory : public ::testing::TestWithParam<Case> {};

TEST_P(GoodHistory, IsLinearizable) {
  const absl::Status checked = CheckLinearizable(Parse(GetParam().history));
  EXPECT_TRUE(checked.ok()) << checked;
}

INSTANTIATE_TEST_SUITE_P(
    Linearizability, GoodHistory,
    ::testing::Values(
        Case{"Empty", ""},
        Case{"OneAfterTheOther",
             "1 0 1 read -\n1 2 3 write 1\n2 4 5 read 1\n1 6 7 write 2\n2 8 9 read 2"},
        Case{"ReadDuringAWriteSeesEither",
             "1 0 10 write 1\n2 1 2 read -\n3 3 4 read 1\n3 5 6 read 1"},
        Case{"LaterReadsAgreeOnTheOrderOfConcurrentWrites",
             "1 0 10 write 1\n2 0 10 write 2\n3 20 21 read 1\n3 22 23 read 1"},
        Case{"UnknownWriteTakesEffectMuchLater", "1 0 ? write 1\n2 5 6 read -\n2 50 51 read 1"},
        Case{"UnknownWriteNeverTakesEffect", "1 0 ? write 1\n2 5 6 read -\n2 50 51 read -"},
        Case{"UnknownWriteIsOverwrittenUnseen", "1 0 ? write 1\n2 5 6 write 2\n2 50 51 read 2"},
        Case{"FailedWriteWasNot", "1 0 5 failed-write 1\n2 6 7 read -"},
        Case{"CompareAndSetFollowsItsValue", "1 0 1 write 1\n1 2 3 cas 1 2\n2 4 5 read 2"},
        Case{"CompareAndSetOfNothing", "1 0 1 cas - 1\n2 2 3 read 1\n1 4 5 cas 1 -\n2 6 7 read -"},
        Case{"MismatchReadsWhatIsThere", "1 0 1 write 1\n2 2 3 mismatch 7 8 1\n2 4 5 read 1"},
        Case{"OfTwoCompareAndSetsOneWins", "1 0 1 write 1\n1 2 9 cas 1 2\n2 2 9 mismatch 1 3 2"},
        Case{"UnknownCompareAndSetExplainsARead", "1 0 1 write 1\n2 2 ? cas 1 2\n3 9 10 read 2"},
        Case{"ChainOfUnknowns", "1 0 ? write 1\n2 0 ? cas 1 2\n3 0 ? cas 2 3\n4 9 10 read 3"},
        Case{"UnknownValueThatTwoWrote",
             "1 0 ? write 5\n2 0 1 write 5\n2 2 3 write 6\n2 4 5 read 6\n2 8 9 read 5"},
        Case{"UnknownWriteBehindAnOpenCompareAndSet",
             "1 0 ? write 5\n2 1 ? cas 5 7\n3 1 2 write 7\n3 3 4 write 8\n3 9 10 read 7"},
        Case{"OverlapAtOneMoment", "1 0 5 write 1\n2 5 6 read -"}),
    [](const auto& info) { return info.param.name; });

struct BadCase {
  const char* name;
  const char* history;
  const char* unplaced;  // What the explanation names.
};

class BadHistory : public ::testing::TestWithParam<BadCase> {};

TEST_P(BadHistory, IsFoundAndNamed) {
  const absl::Status checked = CheckLinearizable(Parse(GetParam().history));
  EXPECT_EQ(checked.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(checked.message()), HasSubstr(GetParam().unplaced)) << checked;
}

INSTANTIATE_TEST_SUITE_P(
    Linearizability, BadHistory,
    ::testing::Values(
        BadCase{"StaleRead", "1 0 1 write 1\n1 2 3 write 2\n2 4 5 read 1", "client 2 read 1"},
        BadCase{"ReadOfNothingAfterAWrite", "1 0 1 write 1\n2 2 3 read -", "client 2 read nothing"},
        BadCase{"ValueOutOfThinAir", "1 0 1 write 1\n2 2 3 read 9", "client 2 read 9"},
        BadCase{"ReadOfAFailedWrite", "1 0 1 failed-write 1\n2 2 3 read 1", "client 2 read 1"},
        BadCase{"ReadFromTheFuture", "2 0 1 read 1\n1 2 3 write 1", "client 2 read 1"},
        BadCase{"UnknownWriteReadBeforeItBegan", "2 0 1 read 1\n1 2 ? write 1", "client 2 read 1"},
        BadCase{"LostUpdate", "1 0 1 write 1\n1 2 9 cas 1 2\n2 2 9 cas 1 3", "where 1"},
        BadCase{"ReadsThatGoBack", "1 0 10 write 1\n2 1 2 read 1\n3 3 4 read -",
                "client 3 read nothing"},
        BadCase{"ReadersThatDisagree",
                "1 0 10 write 1\n2 0 10 write 2\n3 20 21 read 1\n4 22 23 read 2",
                "client 4 read 2"},
        BadCase{"UnknownWriteThatCameAndWent", "1 0 ? write 1\n2 1 2 read 1\n2 3 4 read -",
                "client 2 read nothing"},
        BadCase{"CompareAndSetFromAValueThatWasGone", "1 0 1 write 1\n1 2 3 write 2\n2 4 5 cas 1 3",
                "client 2 set k to 3 where 1"},
        BadCase{"MismatchThatFoundWhatItExpected", "1 0 1 write 1\n2 2 3 mismatch 1 2 1",
                "client 2 set k to 2 where 1"},
        BadCase{"DeletedAndBack", "1 0 1 write 1\n1 2 3 write -\n2 4 5 read 1", "client 2 read 1"}),
    [](const auto& info) { return info.param.name; });

TEST(LinearizabilityTest, KeysAreIndependentAndTheBadOneIsNamed) {
  std::vector<RegisterOperation> history = Parse("1 0 1 write 1\n2 2 3 read 1");
  std::vector<RegisterOperation> other = Parse("1 0 1 write 1\n2 2 3 read 2");
  for (RegisterOperation& operation : other) operation.key = "bad";
  history.insert(history.end(), other.begin(), other.end());
  EXPECT_THAT(std::string(CheckLinearizable(history).message()), HasSubstr("key bad:"));
}

TEST(LinearizabilityTest, RegistersMayBeginWithAValue) {
  const std::vector<RegisterOperation> history = Parse("1 0 1 read 7");
  EXPECT_FALSE(CheckLinearizable(history).ok());
  EXPECT_TRUE(CheckLinearizable(history, {.initial = "7"}).ok());
}

TEST(LinearizabilityTest, ASearchHasAnEnd) {
  const std::vector<RegisterOperation> history =
      Parse("1 0 9 write 1\n2 0 9 write 2\n3 0 9 write 3\n4 20 21 read 9");
  EXPECT_EQ(CheckLinearizable(history, {.steps_max = 3}).code(),
            absl::StatusCode::kResourceExhausted);
}

// --- Histories of a real register, and what a search without shortcuts says ---

struct MadeHistory {
  std::vector<RegisterOperation> operations;
};

// `clients` work on one register for `count` operations in all. Of those whose outcome is unknown
// some took effect. Each value is written once, or else is one of three.
MadeHistory Make(runtime::Random* random, int clients, int count, bool unique) {
  struct Under {
    RegisterOperation operation;
    int64_t takes_effect;
    int64_t ends;
  };
  MadeHistory made;
  std::map<int64_t, Under> by_effect;
  std::vector<int64_t> free_at(static_cast<size_t>(clients), 0);
  for (int i = 0; i < count; ++i) {
    const auto client = static_cast<size_t>(random->Uniform(0, clients - 1));
    Under under;
    under.operation.client = client;
    under.operation.key = "k";
    under.operation.action = static_cast<RegisterAction>(random->Uniform(0, 2));
    const int64_t begin = free_at[client] + random->Uniform(1, 100);
    under.operation.invoked = MonotonicTime(begin);
    under.operation.written = absl::StrCat(unique ? i + 1 : random->Uniform(1, 3));
    // Moments are all different.
    under.takes_effect = (begin + random->Uniform(0, 200)) * 100'000 + i;
    under.ends = under.takes_effect / 100'000 + random->Uniform(1, 200);
    free_at[client] = under.ends;
    by_effect[under.takes_effect] = under;
  }
  RegisterValue value;
  for (auto& [moment, under] : by_effect) {
    RegisterOperation& operation = under.operation;
    const bool unknown = random->Chance(0.1);
    const bool lost = unknown && random->Chance(0.5);
    if (operation.action == RegisterAction::kCompareAndSet) {
      operation.expected = random->Chance(0.7) ? value : RegisterValue("2");
    }
    const bool fits =
        operation.action != RegisterAction::kCompareAndSet || operation.expected == value;
    if (!unknown) {
      operation.completed = MonotonicTime(under.ends);
      operation.outcome = fits ? Outcome::kOk : Outcome::kMismatch;
      operation.found = value;
    }
    if (operation.action != RegisterAction::kRead && fits && !lost) value = operation.written;
    made.operations.push_back(operation);
  }
  return made;
}

// All orders, one after the other.
bool BruteForce(const std::vector<RegisterOperation>& left, const RegisterValue& value) {
  MonotonicTime first_end = MonotonicTime::Max();
  for (const RegisterOperation& operation : left) {
    first_end = std::min(first_end, operation.completed);
  }
  if (first_end == MonotonicTime::Max()) return true;
  for (size_t i = 0; i < left.size(); ++i) {
    const RegisterOperation& next = left[i];
    if (next.invoked > first_end) continue;
    if (next.action == RegisterAction::kRead && next.outcome == Outcome::kOk &&
        next.found != value) {
      continue;
    }
    if (next.outcome == Outcome::kMismatch && (next.found != value || next.expected == value)) {
      continue;
    }
    const bool sets =
        next.action == RegisterAction::kCompareAndSet && next.outcome != Outcome::kMismatch;
    if (sets && next.expected != value) continue;
    std::vector<RegisterOperation> rest = left;
    rest.erase(rest.begin() + static_cast<int64_t>(i));
    const bool writes = next.action == RegisterAction::kWrite || sets;
    if (BruteForce(rest, writes ? next.written : value)) return true;
  }
  return false;
}

TEST(LinearizabilityTest, AgreesWithASearchOfAllOrders) {
  runtime::Random random(1);
  int bad = 0;
  for (int i = 0; i < 3000; ++i) {
    MadeHistory made = Make(&random, 3, static_cast<int>(random.Uniform(1, 7)), random.Chance(0.5));
    // Something else than what was found, or sooner over than it was.
    const auto victim =
        static_cast<size_t>(random.Uniform(0, static_cast<int64_t>(made.operations.size()) - 1));
    RegisterOperation& changed = made.operations[victim];
    if (random.Chance(0.5)) changed.found = absl::StrCat(random.Uniform(1, 7));
    if (random.Chance(0.3) && changed.outcome == Outcome::kOk) changed.completed = changed.invoked;
    const absl::Status checked = CheckLinearizable(made.operations);
    const bool expected = BruteForce(made.operations, std::nullopt);
    bad += !expected;
    ASSERT_EQ(checked.ok(), expected) << i << ": " << checked;
  }
  EXPECT_GT(bad, 300);
}

TEST(LinearizabilityTest, ThousandsOfOperationsOnOneKeyTakeMoments) {
  runtime::Random random(2);
  MadeHistory made = Make(&random, 20, 10'000, true);
  const absl::Status checked = CheckLinearizable(made.operations);
  EXPECT_TRUE(checked.ok()) << checked;
}

TEST(LinearizabilityTest, OneStaleReadAmongThousandsIsFound) {
  runtime::Random random(3);
  MadeHistory made = Make(&random, 10, 5'000, true);
  // The value of a long time ago.
  const RegisterOperation* old = nullptr;
  for (RegisterOperation& operation : made.operations) {
    if (operation.action != RegisterAction::kRead || operation.outcome != Outcome::kOk) continue;
    if (old == nullptr) old = &operation;
    if (operation.invoked.nanoseconds() < 30'000) continue;
    operation.found = old->found;
    break;
  }
  EXPECT_EQ(CheckLinearizable(made.operations).code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace workload
