// The journal of transactions: what it takes, what it refuses to believe, and the history it makes.
#include "workload/transaction_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "workload/key_space.h"
#include "workload/row_values.h"

namespace workload {
namespace {

using checker::Read;
using checker::Write;
using runtime::Timestamp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TransactionJournalTest : public ::testing::Test {
 protected:
  JournalOptions Options(bool clocks_lie = false) {
    return {.true_time = [this] { return now_; },
            .wrong = [this](absl::string_view sentence) { wrong_.emplace_back(sentence); },
            .clocks_lie = clocks_lie};
  }
  // A committed write of `value`; what it wrote before was acknowledged when it begins.
  void CommitWrite(int64_t value, int64_t timestamp) {
    const auto entry = journal_.Begin(1);
    journal_.Did(entry, Write("x", value));
    journal_.Commits(entry);
    now_ = Timestamp(timestamp + 1);
    journal_.Committed(entry, Timestamp(timestamp));
  }
  void ReadStrong(int64_t value, int64_t timestamp) {
    const auto entry = journal_.Begin(2);
    journal_.Did(entry, Read("x", value));
    journal_.Read(entry, Timestamp(timestamp), txn::ReadBound::Strong());
  }

  Timestamp now_{100};
  std::vector<std::string> wrong_;
  TransactionJournal journal_{Options()};
};

TEST_F(TransactionJournalTest, BelievesWhatCanBe) {
  CommitWrite(1, 110);
  ReadStrong(1, 115);
  CommitWrite(2, 120);
  EXPECT_TRUE(journal_.Judge().ok());
  EXPECT_THAT(wrong_, IsEmpty());
  EXPECT_EQ(journal_.LastCommit(), Timestamp(120));
}

TEST_F(TransactionJournalTest, NamesAStaleRead) {
  CommitWrite(1, 110);
  CommitWrite(2, 120);
  ReadStrong(1, 130);
  EXPECT_THAT(std::string(journal_.Judge().message()), HasSubstr("TX-EXTERNAL"));
}

TEST_F(TransactionJournalTest, ACommitThatIsNotPastYet) {
  const auto entry = journal_.Begin(1);
  journal_.Commits(entry);
  journal_.Committed(entry, Timestamp(100));
  EXPECT_THAT(wrong_, ElementsAre(HasSubstr("TX-COMMIT-WAIT")));
}

TEST_F(TransactionJournalTest, ACommitFromBeforeItWasAskedFor) {
  const auto entry = journal_.Begin(1);
  journal_.Did(entry, Write("x", 1));
  now_ = Timestamp(200);
  journal_.Commits(entry);
  now_ = Timestamp(300);
  journal_.Committed(entry, Timestamp(199));
  EXPECT_THAT(wrong_, ElementsAre(HasSubstr("TX-COMMIT-TS")));
}

TEST_F(TransactionJournalTest, ReadsThatAreNotWhatWasAskedFor) {
  const auto exact = journal_.Begin(1);
  journal_.Read(exact, Timestamp(51), txn::ReadBound::At(Timestamp(50)));
  const auto bounded = journal_.Begin(1);
  journal_.Read(bounded, Timestamp(89), txn::ReadBound::Bounded(runtime::Duration(10)));
  EXPECT_THAT(wrong_, ElementsAre(HasSubstr("TX-STALE"), HasSubstr("TX-STALE")));
}

TEST_F(TransactionJournalTest, WhereClocksLieOnlyTheOrderIsDemanded) {
  TransactionJournal lying(Options(/*clocks_lie=*/true));
  const auto write = lying.Begin(1);
  lying.Did(write, Write("x", 1));
  lying.Commits(write);
  lying.Committed(write, Timestamp(500));
  const auto read = lying.Begin(2);
  lying.Did(read, Read("x"));
  lying.Read(read, Timestamp(400), txn::ReadBound::Strong());
  EXPECT_THAT(wrong_, IsEmpty());
  EXPECT_TRUE(lying.Judge().ok());
  EXPECT_FALSE(lying.JudgeRealTime().ok());
}

TEST_F(TransactionJournalTest, WhoCrashedBeforeTheCommitDidNothing) {
  const auto crashed = journal_.Begin(1);
  journal_.Did(crashed, Write("x", 1));
  const auto unknown = journal_.Begin(3);
  journal_.Did(unknown, Write("y", 1));
  journal_.Commits(unknown);
  const checker::History history = journal_.History();
  EXPECT_EQ(history.transaction(0).outcome, checker::Outcome::kFail);
  EXPECT_EQ(history.transaction(1).outcome, checker::Outcome::kInfo);
}

TEST_F(TransactionJournalTest, AnOutcomeThatIsFoundOutLater) {
  const auto entry = journal_.Begin(1);
  journal_.Did(entry, Write("x", 1));
  journal_.Commits(entry);
  journal_.Unknown(
      entry,
      TransactionJournal::Doubt{.entry = entry, .id = {}, .coordinator = storage::GroupId(1)},
      absl::UnknownError("lost"));
  ASSERT_EQ(journal_.doubts().size(), 1u);
  const TransactionJournal::Doubt doubt = journal_.doubts().front();
  journal_.Concluded(doubt, txn::Outcome::Committed(Timestamp(110)));
  journal_.Concluded(doubt, txn::Outcome::Committed(Timestamp(110)));
  EXPECT_THAT(wrong_, IsEmpty());
  EXPECT_EQ(journal_.History().transaction(0).commit_timestamp, 110);
  journal_.Concluded(doubt, txn::Outcome::Aborted("lost"));
  EXPECT_THAT(wrong_, ElementsAre(HasSubstr("TX-ONCE")));
}

TEST(RowValuesTest, ReadWhatWasWritten) {
  const std::optional<Tagged> tagged = ParseTagged(ToText(Tagged{.number = -3, .tag = 17}));
  ASSERT_TRUE(tagged.has_value());
  EXPECT_EQ(tagged->number, -3);
  EXPECT_EQ(tagged->tag, 17);
  EXPECT_EQ(ParseList(ToText(std::vector<int64_t>{1, 2})), (std::vector<int64_t>{1, 2}));
  EXPECT_FALSE(ParseTagged("17").has_value());
  EXPECT_FALSE(ParseList("1 x").has_value());
}

TEST(KeySpaceTest, KeysLieInTheirShards) {
  const KeySpace space(3);
  for (int shard = 0; shard < 3; ++shard) {
    for (int other = 0; other < 3; ++other) {
      EXPECT_EQ(space.RangeOf(shard).Contains(space.At(other, "k")), shard == other);
    }
  }
  EXPECT_TRUE(space.RangeOf(0).Contains(""));
  EXPECT_TRUE(space.RangeOf(2).Contains("z"));
}

}  // namespace
}  // namespace workload
