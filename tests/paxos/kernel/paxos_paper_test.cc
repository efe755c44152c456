// Sentences of Lamport's papers, each with a test that the kernel keeps it: Paxos Made Simple (2001),
// and Reconfiguring a State Machine (Lamport, Malkhi and Zhou, 2010).
#include <gtest/gtest.h>

#include "paxos/kernel/candidacy.h"
#include "tests/paxos/kernel/acceptor_fixture.h"
#include "tests/paxos/kernel/story.h"

namespace paxos {
namespace {

constexpr Ballot Of(uint64_t round, uint32_t replica) { return {round, ReplicaId(replica)}; }

std::string Play(Story* story, const std::vector<std::string>& commands) {
  std::string last;
  for (const std::string& command : commands) last = story->Do(command);
  EXPECT_FALSE(story->failed());
  return last;
}

bool Says(const std::string& told, const std::string& part) {
  return told.find(part) != std::string::npos;
}

// 2.2, P1a: "An acceptor can accept a proposal numbered n iff it has not responded to a prepare
// request having a number greater than n."
TEST(PaxosMadeSimple, AnAcceptorAcceptsUnlessItPromisedAHigherBallot) {
  const auto refused = [](uint64_t promised, uint64_t asked) {
    AcceptorFixture acceptor;
    (void)acceptor.Prepare(Of(promised, 2), At(1000));
    const auto answer = acceptor.Accept(Of(asked, 2), Slot(1), Command("x", 2000), At(1001));
    return std::holds_alternative<Refuse>(answer.value());
  };
  EXPECT_TRUE(refused(5, 4));
  EXPECT_FALSE(refused(5, 5));
  EXPECT_FALSE(refused(5, 6));
}

// 2.2: the response to a prepare request has "a promise never again to accept a proposal numbered
// less than n, and the proposal with the highest number less than n that it has accepted, if any."
TEST(PaxosMadeSimple, APromiseReportsTheHighestBallotThatWasAccepted) {
  AcceptorFixture acceptor;
  (void)acceptor.Accept(Of(1, 2), Slot(1), Command("first", 2000), At(1000));
  (void)acceptor.Accept(Of(3, 2), Slot(1), Command("second", 2001), At(1000));
  const Promise promise = std::get<Promise>(acceptor.Prepare(Of(4, 2), At(1001)).value());
  ASSERT_EQ(promise.accepted.size(), 1u);
  EXPECT_EQ(promise.accepted[0].ballot, Of(3, 2));
  EXPECT_EQ(*promise.accepted[0].entry.command, "second");
}

// 2.2, P2c: "v is the value of the highest-numbered proposal among all proposals numbered less than
// n accepted by the acceptors in S."
TEST(PaxosMadeSimple, AProposerTakesTheValueOfTheHighestReportedBallot) {
  Candidacy candidacy;
  candidacy.Take(ReplicaId(1), {.ballot = Of(9, 1),
                                .accepted = {{Slot(1), Of(2, 1), Command("low", 2000)}},
                                .vote_expiry = std::nullopt});
  candidacy.Take(ReplicaId(2), {.ballot = Of(9, 1),
                                .accepted = {{Slot(1), Of(3, 2), Command("high", 2001)}},
                                .vote_expiry = std::nullopt});
  candidacy.Take(ReplicaId(3), {.ballot = Of(9, 1),
                                .accepted = {{Slot(1), Of(1, 3), Command("lowest", 1999)}},
                                .vote_expiry = std::nullopt});
  const std::vector<Entry> entries = Reproposals(candidacy.reported, Slot(), Timestamp::Min());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(*entries[0].command, "high");
}

// 2.2, on P2c: v "is any value selected by the proposer if the responders reported no proposals."
// Then the first of a new leader is a no-op of its own.
TEST(PaxosMadeSimple, WithoutReportsAProposerIsFree) {
  Story story;
  const std::string told = Play(&story, {"group 3", "elect 2"});
  EXPECT_TRUE(Says(told, "2 applies slot 1: no-op")) << told;
  EXPECT_TRUE(Says(told, "2 is leading")) << told;
}

// 2.5: "An acceptor records its intended response in stable storage before actually sending the
// response."
TEST(PaxosMadeSimple, AnAcceptorRecordsItsResponseBeforeItSendsIt) {
  AcceptorFixture fixture;
  fixture.acceptor().Handle(ReplicaId(2),
                            Prepare{.ballot = Of(1, 2),
                                    .chosen_through = Slot(),
                                    .vote = {Timestamp(4000), kLease},
                                    .released = std::nullopt},
                            At(1000));
  const auto save = fixture.outbox().TakeSave(fixture.acceptor().hard_state(), MonotonicTime(1000));
  ASSERT_TRUE(save && save->hard_state);
  EXPECT_EQ(save->hard_state->promised, Of(1, 2));
  EXPECT_TRUE(fixture.outbox().TakeMessages().empty());
  fixture.outbox().Saved(save->id, MonotonicTime(1001));
  EXPECT_EQ(fixture.outbox().TakeMessages().size(), 1u);
}

// 2.5: "Each proposer remembers (in stable storage) the highest-numbered proposal it has tried to
// issue, and begins phase 1 with a higher-numbered proposal than any it has already used."
TEST(PaxosMadeSimple, AProposerUsesABallotOnce) {
  Story story;
  Play(&story, {"group 3", "disk 1 slow", "stand 1", "deliver"});
  const std::string asked = Play(&story, {"deliver"});
  EXPECT_FALSE(Says(asked, "Prepare")) << asked;
  EXPECT_TRUE(Says(Play(&story, {"save 1"}), "Prepare ballot 1.1"));
  // Somebody has heard of it: after a restart the next one is higher.
  Play(&story, {"deliver", "disk 1 fast", "crash 1", "restart 1", "stand 1", "deliver"});
  const std::string again = Play(&story, {"deliver"});
  EXPECT_TRUE(Says(again, "Prepare ballot 2.1")) << again;
}

// 2.5: "Different proposers choose their numbers from disjoint sets of numbers."
TEST(PaxosMadeSimple, BallotsOfTwoReplicasDiffer) {
  EXPECT_NE(Of(1, 1), Of(1, 2));
  EXPECT_LT(Of(1, 2), Of(2, 1));
}

// 2.2: "if an acceptor ignores a prepare or accept request because it has already received a prepare
// request with a higher number, then it should probably inform the proposer".
TEST(PaxosMadeSimple, AnAcceptorTellsWhoIsTooLow) {
  AcceptorFixture acceptor;
  (void)acceptor.Prepare(Of(7, 2), At(1000));
  const Refuse refuse = std::get<Refuse>(acceptor.Prepare(Of(6, 2), At(1001)).value());
  EXPECT_EQ(refuse.reason, RefuseReason::kBallot);
  EXPECT_EQ(refuse.promised, Of(7, 2));
}

// 3: a new leader executes phase 1 for infinitely many instances. "Using the same proposal number for
// all instances, it can do this by sending a single reasonably short message to the other servers."
TEST(PaxosMadeSimple, OnePrepareIsForAllSlots) {
  AcceptorFixture acceptor;
  for (uint64_t slot = 1; slot <= 5; ++slot) {
    const auto timestamp = 2000 + static_cast<int64_t>(slot);
    (void)acceptor.Accept(Of(1, 2), Slot(slot), Command("x", timestamp), At(1000));
  }
  const Promise promise = std::get<Promise>(acceptor.Prepare(Of(2, 2), At(1001)).value());
  EXPECT_EQ(promise.accepted.size(), 5u);
}

// 3: the gap is filled by proposing, "as commands 136 and 137, a special 'noop' command that leaves
// the state unchanged."
TEST(PaxosMadeSimple, GapsAreFilledWithNoOps) {
  std::map<Slot, AcceptedEntry> reported;
  reported.emplace(Slot(135), AcceptedEntry{Slot(135), Of(1, 1), Command("135", 2000)});
  reported.emplace(Slot(138), AcceptedEntry{Slot(138), Of(1, 1), Command("138", 2010)});
  const auto entries = Reproposals(reported, Slot(134), Timestamp(1999));
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(*entries[0].command, "135");
  EXPECT_EQ(entries[1].kind, EntryKind::kNoOp);
  EXPECT_EQ(entries[2].kind, EntryKind::kNoOp);
  EXPECT_EQ(*entries[3].command, "138");
  // Ours have timestamps, just below what follows (docs/paxos.md, Recovery).
  EXPECT_EQ(entries[1].timestamp, Timestamp(2008));
  EXPECT_EQ(entries[2].timestamp, Timestamp(2009));
}

// Reconfiguring a State Machine, on alpha: the configuration of an instance must be known before it
// is proposed in. Here alpha is 1: nothing is proposed beside a configuration.
TEST(ReconfiguringAStateMachine, NothingIsProposedBesideAConfiguration) {
  Story story;
  Play(&story, {"group 3", "elect 1", "run 800", "reconfigure 1 add 4"});
  EXPECT_TRUE(Says(Play(&story, {"propose 1 x"}), "refused: the members")) << "under way";
  Play(&story, {"run 50"});
  EXPECT_FALSE(Says(Play(&story, {"propose 1 x"}), "refused"));
  EXPECT_TRUE(Says(Play(&story, {"reconfigure 1 promote 4"}), "refused: slots are open"));
}

}  // namespace
}  // namespace paxos
