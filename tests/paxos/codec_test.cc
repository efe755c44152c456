// What is encoded is decoded as it was; what nobody would encode is refused.
#include "paxos/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "paxos/paxos.pb.h"
#include "paxos/records.h"

namespace paxos {
namespace {

Configuration SomeMembers() {
  return Configuration(
      {{ReplicaId(1), runtime::NodeId(7), true}, {ReplicaId(4), runtime::NodeId(8), false}},
      ReplicaId(9));
}

Entry Command(std::string bytes, int64_t timestamp) {
  return {EntryKind::kCommand, Timestamp(timestamp),
          std::make_shared<const std::string>(std::move(bytes)), nullptr};
}

Entry Members(int64_t timestamp) {
  return {EntryKind::kConfiguration, Timestamp(timestamp), nullptr,
          std::make_shared<const Configuration>(SomeMembers())};
}

std::string Text(const Message& message) {
  std::ostringstream text;
  text << message;
  return text.str();
}

const Ballot kBallot{12, ReplicaId(3)};

std::vector<Body> Bodies() {
  const VoteRequest vote{Timestamp(-5), std::chrono::seconds(3)};
  const Released released{kBallot, Timestamp(77)};
  const std::vector<AcceptedEntry> accepted = {{Slot(4), kBallot, Command("x", 10)},
                                               {Slot(6), {11, ReplicaId(2)}, Members(12)}};
  return {Canvass{kBallot, Slot(3)},
          Canvassed{kBallot},
          Prepare{kBallot, Slot(3), vote, released},
          Prepare{kBallot, Slot(3), vote, std::nullopt},
          Promise{kBallot, accepted, Timestamp(5), Timestamp(6)},
          Promise{kBallot, {}, Timestamp::Min(), std::nullopt},
          Accept{kBallot,
                 Slot(4),
                 {Command("", 1), {EntryKind::kNoOp, Timestamp(2), nullptr, nullptr}, Members(3)},
                 Slot(3),
                 vote,
                 SafeTimePromise{Slot(3), Timestamp(9)}},
          Accept{kBallot, Slot(1), {}, Slot(0), std::nullopt, std::nullopt},
          Accepted{kBallot, Slot(4), 3, Timestamp(8), Slot(2)},
          Refuse{kBallot, RefuseReason::kClock, kBallot, Slot(2), std::chrono::milliseconds(7)},
          Release{released, ReplicaId(2)},
          Removed{Slot(99)}};
}

TEST(CodecTest, EveryMessageIsDecodedAsItWas) {
  for (const Body& body : Bodies()) {
    const Message message{ReplicaId(3), ReplicaId(1), body};
    wire::GroupMessage encoded;
    EncodeMessage(storage::GroupId(5), message, &encoded);
    wire::GroupMessage received;
    ASSERT_TRUE(received.ParseFromString(encoded.SerializeAsString()));
    EXPECT_EQ(received.group(), 5u);
    const absl::StatusOr<Message> decoded = DecodeMessage(&received);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(Text(*decoded), Text(message));
    wire::GroupMessage again;
    EncodeMessage(storage::GroupId(5), *decoded, &again);
    EXPECT_EQ(again.SerializeAsString(), encoded.SerializeAsString());
  }
}

TEST(CodecTest, RecordsAreDecodedAsTheyWere) {
  HardState state{ReplicaId(3), kBallot,       {ReplicaId(2), kBallot, Timestamp(5), Timestamp(4)},
                  Timestamp(3), SomeMembers(), Slot(8)};
  const Configuration founding = SomeMembers();
  absl::StatusOr<GroupMeta> meta = DecodeGroupMeta(EncodeGroupMeta(state, &founding));
  ASSERT_TRUE(meta.ok()) << meta.status();
  EXPECT_EQ(meta->hard_state, state);
  EXPECT_EQ(*meta->founding, founding);
  EXPECT_EQ(DecodeGroupMeta(EncodeGroupMeta(state, nullptr))->founding, nullptr);

  for (const Entry& entry : {Command("abc", 5), Members(6)}) {
    const AcceptedEntry accepted{Slot(7), kBallot, entry};
    const absl::StatusOr<AcceptedEntry> decoded = DecodeLogEntry(Slot(7), EncodeLogEntry(accepted));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, accepted);
  }

  const AppliedState applied{Slot(9), Timestamp(8), SomeMembers(), Slot(4), {"a", "b"}};
  const absl::StatusOr<AppliedState> decoded = DecodeAppliedState(EncodeAppliedState(applied));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, applied);
}

// Each change makes a message that no kernel should meet.
TEST(CodecTest, WhatMakesNoSenseIsRefused) {
  const auto refused = [](void (*change)(wire::GroupMessage*)) {
    wire::GroupMessage message;
    change(&message);
    return absl::IsDataLoss(DecodeMessage(&message).status());
  };
  EXPECT_TRUE(refused([](wire::GroupMessage*) {})) << "no body";
  EXPECT_TRUE(refused([](wire::GroupMessage* m) {
    m->mutable_canvassed()->mutable_ballot()->set_round(~uint64_t{0});
  }));
  EXPECT_TRUE(refused([](wire::GroupMessage* m) { m->mutable_accept()->set_first(0); }));
  EXPECT_TRUE(refused([](wire::GroupMessage* m) { m->mutable_accept()->set_first(~uint64_t{0}); }));
  EXPECT_TRUE(refused([](wire::GroupMessage* m) {
    m->mutable_accept()->set_first(1);
    m->mutable_accept()->mutable_vote()->set_length_ns(-1);
  }));
  EXPECT_TRUE(
      refused([](wire::GroupMessage* m) { m->mutable_accepted()->set_count(~uint64_t{0}); }));
  EXPECT_TRUE(refused([](wire::GroupMessage* m) {
    m->mutable_promise()->add_accepted()->set_slot(5);
    m->mutable_promise()->add_accepted()->set_slot(5);
  })) << "slots that do not ascend";
  EXPECT_TRUE(refused([](wire::GroupMessage* m) {
    m->mutable_promise()->add_accepted()->set_slot(5);
    m->mutable_promise()->add_accepted()->set_slot(uint64_t{1} << 40);
  })) << "a gap that would be filled";
  EXPECT_TRUE(refused([](wire::GroupMessage* m) { m->mutable_refuse()->set_held_for_ns(1); }))
      << "no reason";
  EXPECT_TRUE(refused([](wire::GroupMessage* m) {
    m->mutable_accept()->set_first(1);
    m->mutable_accept()->add_entries()->mutable_configuration()->set_next_replica(1);
  })) << "members without a voter";
  EXPECT_TRUE(absl::IsDataLoss(DecodeLogEntry(Slot(1), "\xff\xff\xff").status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeGroupMeta("").status()));
}

}  // namespace
}  // namespace paxos
