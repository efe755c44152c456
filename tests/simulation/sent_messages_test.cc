// What a replica has said it must stand by: each way of forgetting it is found.
#include "simulation/sent_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "paxos/codec.h"
#include "paxos/paxos.pb.h"
#include "runtime/simulated/universe.h"

namespace simulation {
namespace {

using paxos::Ballot;
using paxos::ReplicaId;
using runtime::NodeId;
using runtime::Timestamp;
using storage::GroupId;
using storage::Slot;
using ::testing::HasSubstr;

constexpr Ballot kBallot{3, ReplicaId(2)};

paxos::Entry NoOpAt(int64_t timestamp) {
  return {.kind = paxos::EntryKind::kNoOp,
          .timestamp = Timestamp(timestamp),
          .command = nullptr,
          .configuration = nullptr};
}

std::string Batch(const paxos::Message& message) {
  paxos::wire::MessageBatch batch;
  paxos::EncodeMessage(GroupId(1), message, batch.add_messages());
  return batch.SerializeAsString();
}

// Replica 1 on node 1 promised kBallot; replica 2 proposed a no-op in slot 1, which 1 accepted.
class SentMessagesTest : public ::testing::Test {
 protected:
  SentMessagesTest()
      : universe_(1),
        sent_(&universe_, [this](GroupId, Slot slot) { return slot <= chosen_through_; }) {
    sent_.Sent(NodeId(1),
               Batch({ReplicaId(1), ReplicaId(2),
                      paxos::Promise{.ballot = kBallot, .accepted = {}, .vote_expiry = {}}}));
    Propose(NoOpAt(10));
    Accepts(kBallot);
  }

  // Replica 1 says that it has what was proposed in slot 1.
  void Accepts(Ballot ballot) {
    sent_.Sent(NodeId(1), Batch({ReplicaId(1), ReplicaId(2),
                                 paxos::Accepted{.ballot = ballot,
                                                 .first = Slot(1),
                                                 .count = 1,
                                                 .vote_expiry = {},
                                                 .durable_through = {}}}));
  }

  void Propose(const paxos::Entry& entry) {
    sent_.Sent(NodeId(2), Batch({ReplicaId(2), ReplicaId(1),
                                 paxos::Accept{.ballot = kBallot,
                                               .first = Slot(1),
                                               .entries = {entry},
                                               .chosen_through = {},
                                               .vote = {},
                                               .safe_time = {}}}));
  }

  // Replica 1 as its disk has it.
  void ComeBack(Ballot promised, std::vector<paxos::AcceptedEntry> accepted) {
    paxos::Recovered recovered;
    recovered.hard_state.self = ReplicaId(1);
    recovered.hard_state.promised = promised;
    recovered.hard_state.configuration = paxos::Configuration::Initial({NodeId(1), NodeId(2)});
    recovered.accepted = std::move(accepted);
    paxos::ReplicaOptions options;
    options.self = ReplicaId(1);
    sent_.CameBack(GroupId(1), paxos::Replica(options, recovered, 1));
  }

  std::string violation() const { return std::string(universe_.violation().message()); }

  simulated::Universe universe_;
  Slot chosen_through_;
  SentMessages sent_;
};

TEST_F(SentMessagesTest, WhoKnowsWhatItSaidIsLeftAlone) {
  ComeBack(kBallot, {{Slot(1), kBallot, NoOpAt(10)}});
  EXPECT_EQ(violation(), "");
}

TEST_F(SentMessagesTest, AForgottenPromise) {
  ComeBack({2, ReplicaId(2)}, {{Slot(1), kBallot, NoOpAt(10)}});
  EXPECT_THAT(violation(), HasSubstr("PX-DURABLE: replica 1 of group 1 came back with a promise"));
}

TEST_F(SentMessagesTest, AForgottenValue) {
  ComeBack(kBallot, {});
  EXPECT_THAT(violation(), HasSubstr("came back without what it had accepted in slot 1"));
}

// It answers a later ballot, whose value can be no other, and saves nothing (paxos-reconfig 1106).
TEST_F(SentMessagesTest, WhatIsChosenMayBeHeldByTheBallotBefore) {
  chosen_through_ = Slot(1);
  Accepts({4, ReplicaId(2)});
  ComeBack({4, ReplicaId(2)}, {{Slot(1), kBallot, NoOpAt(10)}});
  EXPECT_EQ(violation(), "");
}

TEST_F(SentMessagesTest, WhatIsNotKnownToBeChosenMayNot) {
  Accepts({4, ReplicaId(2)});
  ComeBack({4, ReplicaId(2)}, {{Slot(1), kBallot, NoOpAt(10)}});
  EXPECT_THAT(violation(), HasSubstr("came back without what it had accepted in slot 1"));
}

TEST_F(SentMessagesTest, AnotherValueOnTheDisk) {
  ComeBack(kBallot, {{Slot(1), kBallot, NoOpAt(11)}});
  EXPECT_THAT(violation(), HasSubstr("PX-CHECKSUM: replica 1 of group 1"));
}

TEST_F(SentMessagesTest, TwoValuesInOneBallot) {
  Propose(NoOpAt(12));
  EXPECT_THAT(violation(), HasSubstr("PX-ONE-VALUE: replica 2 of group 1 proposes two values"));
}

TEST_F(SentMessagesTest, AReplicaThatSpeaksAfterItsDiskWasLost) {
  EXPECT_EQ(sent_.ReplicasOf(NodeId(1)).size(), 1u);
  sent_.Lost(GroupId(1), ReplicaId(1), /*may_return=*/false);
  EXPECT_TRUE(sent_.ReplicasOf(NodeId(1)).empty());
  sent_.Sent(NodeId(1), Batch({ReplicaId(1), ReplicaId(2), paxos::Canvassed{kBallot}}));
  EXPECT_THAT(violation(), HasSubstr("says Canvassed though its disk was lost"));
}

TEST_F(SentMessagesTest, ALearnerMayReturnWithNothing) {
  sent_.Lost(GroupId(1), ReplicaId(1), /*may_return=*/true);
  ComeBack({}, {});
  EXPECT_EQ(violation(), "");
}

}  // namespace
}  // namespace simulation
