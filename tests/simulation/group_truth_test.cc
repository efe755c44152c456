// Who watches the watchers: each thing that cannot be is found, and what can be is not.
#include "simulation/group_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/simulated/universe.h"
#include "simulation/sent_messages.h"

namespace simulation {
namespace {

using paxos::Configuration;
using runtime::NodeId;
using runtime::Timestamp;
using storage::GroupId;
using storage::Slot;
using ::testing::HasSubstr;
using workload::RegisterAction;

paxos::Entry CommandAt(int64_t timestamp, const RegisterCommand& command) {
  return {.kind = paxos::EntryKind::kCommand,
          .timestamp = Timestamp(timestamp),
          .command = std::make_shared<const std::string>(EncodeCommand(command)),
          .configuration = nullptr};
}

paxos::Entry NoOpAt(int64_t timestamp) {
  return {.kind = paxos::EntryKind::kNoOp,
          .timestamp = Timestamp(timestamp),
          .command = nullptr,
          .configuration = nullptr};
}

const RegisterCommand kPut{.key = "k", .written = "1"};
const RegisterCommand kSet{
    .action = RegisterAction::kCompareAndSet, .key = "k", .written = "2", .expected = "1"};

// Slots 1 to 3: k is 1 from 10 on, nothing, k is 2 from 30 on.
class GroupTruthTest : public ::testing::Test {
 protected:
  GroupTruthTest()
      : universe_(1),
        truth_(&universe_, GroupId(1), Configuration::Initial({NodeId(1), NodeId(2)})) {
    truth_.Chosen(Slot(1), CommandAt(10, kPut));
    truth_.Chosen(Slot(3), CommandAt(30, kSet));
    truth_.Chosen(Slot(2), NoOpAt(20));
  }

  std::string violation() const { return std::string(universe_.violation().message()); }

  simulated::Universe universe_;
  GroupTruth truth_;
};

TEST_F(GroupTruthTest, AcceptsWhatCanBe) {
  EXPECT_EQ(truth_.known_through(), Slot(3));
  truth_.Chosen(Slot(1), CommandAt(10, kPut));
  truth_.Applying("n", Slot(0), Slot(1), {true, std::nullopt});
  truth_.Applying("n", Slot(1), Slot(3), {true, "1"});
  truth_.Promised("n", Slot(2), Timestamp(29));
  truth_.Promised("n", Slot(3), Timestamp(40));
  truth_.Chosen(Slot(4), NoOpAt(41));
  truth_.Acknowledged(Slot(3), Timestamp(30), kSet, {true, "1"});
  truth_.ReadNewest("k", Timestamp(10), "1");
  truth_.ReadNewest("other", Timestamp::Min(), std::nullopt);
  truth_.ReadAt("k", Timestamp(29), "1");
  truth_.ReadAt("k", Timestamp(9), std::nullopt);
  truth_.Holds("n", {.applied = Slot(2), .commands = 1, .rows = {{"k", {{Timestamp(10), "1"}}}}});
  EXPECT_EQ(violation(), "");
}

TEST_F(GroupTruthTest, TwoValuesInASlot) {
  truth_.Chosen(Slot(1), CommandAt(10, kSet));
  EXPECT_THAT(violation(), HasSubstr("PX-ONE-VALUE: group 1: in slot 1"));
}

TEST_F(GroupTruthTest, TimestampsThatGoBack) {
  truth_.Chosen(Slot(4), NoOpAt(30));
  EXPECT_THAT(violation(), HasSubstr("PX-MONOTONE: group 1: slot 4"));
}

TEST_F(GroupTruthTest, AWriteAtATimeThatWasCalledSafe) {
  truth_.Promised("n", Slot(3), Timestamp(50));
  truth_.Chosen(Slot(4), NoOpAt(50));
  EXPECT_THAT(violation(), HasSubstr("PX-CEILING: group 1: slot 4"));
}

TEST_F(GroupTruthTest, ATimeCalledSafeByOneWhoIsBehind) {
  truth_.Promised("n", Slot(2), Timestamp(30));
  EXPECT_THAT(violation(), HasSubstr("PX-CEILING: group 1: n has applied 2"));
}

TEST_F(GroupTruthTest, CommandsOutOfOrder) {
  truth_.Applying("n", Slot(3), Slot(1), {true, std::nullopt});
  EXPECT_THAT(violation(), HasSubstr("PX-PIPELINE: group 1: n applies slot 1 after 3"));
}

TEST_F(GroupTruthTest, ACommandThatWasLeftOut) {
  truth_.Applying("n", Slot(0), Slot(3), {false, std::nullopt});
  EXPECT_THAT(violation(), HasSubstr("n skips slot 1"));
}

TEST_F(GroupTruthTest, ACommandToAnotherEffect) {
  truth_.Applying("n", Slot(1), Slot(3), {false, "0"});
  EXPECT_THAT(violation(), HasSubstr("PX-PIPELINE: group 1: n applies slot 3 as refused"));
}

TEST_F(GroupTruthTest, AnAcknowledgedWriteThatIsNotThere) {
  truth_.Acknowledged(Slot(2), Timestamp(20), kPut, {true, std::nullopt});
  EXPECT_THAT(violation(), HasSubstr("PX-DURABLE: group 1: 'put k 1' was acknowledged"));
}

TEST_F(GroupTruthTest, AReadOfWhatWasNeverWritten) {
  truth_.ReadNewest("k", Timestamp(11), "1");
  EXPECT_THAT(violation(), HasSubstr("never written"));
}

TEST_F(GroupTruthTest, AReadThatIsNotRepeatable) {
  truth_.ReadAt("k", Timestamp(30), "1");
  EXPECT_THAT(violation(), HasSubstr("at that timestamp it is 2"));
}

TEST_F(GroupTruthTest, AReplicaThatHoldsSomethingElse) {
  const std::vector<GroupContents> wrong = {
      {.applied = Slot(3), .commands = 2, .rows = {{"k", {{Timestamp(10), "1"}}}}},
      {.applied = Slot(2), .commands = 2, .rows = {{"k", {{Timestamp(10), "1"}}}}},
      {.applied = Slot(1), .commands = 1, .rows = {}},
      {.applied = Slot(1),
       .commands = 1,
       .rows = {{"k", {{Timestamp(10), "1"}}}, {"new", {{Timestamp(10), "1"}}}}},
  };
  for (const GroupContents& contents : wrong) {
    simulated::Universe universe(1);
    GroupTruth truth(&universe, GroupId(1), Configuration::Initial({NodeId(1)}));
    truth.Chosen(Slot(1), CommandAt(10, kPut));
    truth.Chosen(Slot(2), NoOpAt(20));
    truth.Chosen(Slot(3), CommandAt(30, kSet));
    truth.Holds("n", contents);
    EXPECT_THAT(std::string(universe.violation().message()), HasSubstr("equal state"));
  }
}

TEST_F(GroupTruthTest, AReplicaAheadOfWhatIsChosen) {
  truth_.Holds("n", {.applied = Slot(9)});
  EXPECT_THAT(violation(), HasSubstr("not known to be chosen"));
}

}  // namespace
}  // namespace simulation
