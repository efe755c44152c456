// Commands and records as bytes: what is written is read again, and everything else is refused.
#include "txn/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "txn/shard_records.h"

namespace txn {
namespace {

using testing::HasSubstr;

const TransactionId kId{Timestamp(-5), NodeId(3), 77};
const std::vector<Write> kWrites{{"a", "1"}, {"b", std::nullopt}, {std::string("b\0", 2), ""}};

std::vector<ShardCommand> OneOfEach() {
  return {
      Commit{.id = kId, .writes = kWrites, .valid_through = Timestamp(99)},
      Commit{},
      Prepare{.id = kId,
              .age = Age::Of({Timestamp(1), NodeId(2), 3}),
              .coordinator = GroupId(4),
              .writes = kWrites,
              .locks = {{"a", "c"}, {"c", "d"}, {"x", ""}}},
      Decide{.id = kId,
             .participants = {GroupId(2), GroupId(7)},
             .writes = kWrites,
             .valid_through = Timestamp(99),
             .prepared_at_most = Timestamp(98)},
      Abort{.id = kId, .why = "a reason", .participants = {GroupId(2)}},
      Resolve{.id = kId, .outcome = Outcome::Committed(Timestamp(12))},
      Resolve{.id = kId, .outcome = Outcome::Aborted("a reason")},
      Forget{{kId, {Timestamp(1), NodeId(2), 3}}},
      Trim{Timestamp(1234)},
  };
}

TEST(Commands, AreReadAsTheyWereWritten) {
  for (const ShardCommand& command : OneOfEach()) {
    const absl::StatusOr<ShardCommand> again = DecodeCommand(EncodeCommand(command));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_TRUE(*again == command) << "kind " << command.index();
  }
}

TEST(Commands, ThatOnlyANewerProgramKnowsAreRefusedWithASentence) {
  std::string version = EncodeCommand(Trim{});
  version[0] = 2;
  EXPECT_THAT(DecodeCommand(version).status().ToString(),
              HasSubstr("DATA_LOSS: a command of version 2, which only a newer program knows"));
  std::string kind = EncodeCommand(Trim{});
  kind[1] = 100;
  EXPECT_THAT(DecodeCommand(kind).status().ToString(),
              HasSubstr("DATA_LOSS: a command of kind 100, which only a newer program knows"));
}

TEST(Commands, BadBytesAreDataLoss) {
  EXPECT_TRUE(absl::IsDataLoss(DecodeCommand("").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeCommand("\x01").status()));
  for (const ShardCommand& command : OneOfEach()) {
    const std::string bytes = EncodeCommand(command);
    // Cut anywhere, it is refused, or has become another command that is as it must be.
    for (size_t size = 0; size < bytes.size(); ++size) {
      const absl::StatusOr<ShardCommand> cut = DecodeCommand(bytes.substr(0, size));
      if (!cut.ok()) {
        EXPECT_TRUE(absl::IsDataLoss(cut.status())) << cut.status();
      } else {
        EXPECT_TRUE(DecodeCommand(EncodeCommand(*cut)).ok());
      }
    }
  }
}

// A list that is out of order is its proposer's mistake, and must not reach the log.
TEST(CommandsDeathTest, ListsAreInOrder) {
  EXPECT_DEATH(EncodeCommand(Commit{.id = kId, .writes = {{"b", "1"}, {"a", "1"}}}), "InOrder");
  EXPECT_DEATH(EncodeCommand(Commit{.id = kId, .writes = {{"a", "1"}, {"a", "2"}}}), "InOrder");
  EXPECT_DEATH(EncodeCommand(Abort{.id = kId, .why = "", .participants = {GroupId(0)}}), "InOrder");
  EXPECT_DEATH(
      EncodeCommand(Prepare{
          .id = kId, .age = {}, .coordinator = GroupId(1), .locks = {{"a", "c"}, {"b", "d"}}}),
      "InOrder");
}

// TX-COMMIT-WAIT: what commits nothing is not waited for.
TEST(Commands, SayUntilWhenTheyAreWaitedFor) {
  const Timestamp t(50);
  const auto shown = [&](const ShardCommand& command) {
    return ShownAt(EncodeCommand(command), t);
  };
  EXPECT_EQ(shown(Commit{.id = kId}), t);
  EXPECT_EQ(shown(Decide{.id = kId}), t);
  EXPECT_EQ(shown(Resolve{kId, Outcome::Committed(Timestamp(40))}), Timestamp(40));
  EXPECT_EQ(shown(Resolve{kId, Outcome::Aborted("")}), Timestamp::Min());
  EXPECT_EQ(shown(Prepare{.id = kId, .age = {}, .coordinator = GroupId(1)}), Timestamp::Min());
  EXPECT_EQ(shown(Abort{.id = kId, .why = ""}), Timestamp::Min());
  EXPECT_EQ(shown(Forget{}), Timestamp::Min());
  EXPECT_EQ(shown(Trim{}), Timestamp::Min());
  EXPECT_EQ(ShownAt("", t), Timestamp::Min());
}

TEST(ShardRecords, AreReadAsTheyWereWritten) {
  const ShardMeta meta{.descriptor = {{"a", "x"}, 7},
                       .marks = {.forgotten_before = Timestamp(5),
                                 .swept_before = kId,
                                 .newest = {Timestamp(8), NodeId(1), 2}}};
  EXPECT_TRUE(*DecodeShardMeta(EncodeShardMeta(meta)) == meta);
  const PreparedTransaction prepared{.id = kId,
                                     .age = Age::Of(kId),
                                     .timestamp = Timestamp(9),
                                     .coordinator = GroupId(4),
                                     .writes = kWrites,
                                     .locks = {{"a", "c"}}};
  EXPECT_TRUE(*DecodePrepared(EncodePrepared(prepared)) == prepared);
  for (const Outcome& outcome : {Outcome::Committed(Timestamp(3)), Outcome::Aborted("why")}) {
    EXPECT_EQ(*DecodeOutcome(EncodeOutcome(outcome)), outcome);
  }
  const std::vector<GroupId> groups{GroupId(1), GroupId(2)};
  EXPECT_EQ(*DecodeWaiting(EncodeWaiting(groups)), groups);
}

TEST(ShardRecords, KeysAreInTheOrderOfTheIds) {
  const TransactionId before{Timestamp(-5), NodeId(3), 76};
  const TransactionId after{Timestamp(1), NodeId(1), 0};
  EXPECT_LT(OutcomeKey(before), OutcomeKey(kId));
  EXPECT_LT(OutcomeKey(kId), OutcomeKey(after));
  EXPECT_TRUE(OutcomeKeys(before, after).Contains(OutcomeKey(kId)));
  EXPECT_TRUE(PreparedKeys().Contains(PreparedKey(kId)));
  EXPECT_TRUE(WaitingKeys().Contains(WaitingKey(kId)));
  EXPECT_EQ(*IdOfKey(PreparedKey(kId)), kId);
}

}  // namespace
}  // namespace txn
