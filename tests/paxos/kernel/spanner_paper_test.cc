// Sentences of the Spanner paper (Corbett et al., OSDI 2012) about a group's leader, each with a
// test that the kernel keeps it.
#include <gtest/gtest.h>

#include "paxos/kernel/lease_count.h"
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

// 4.1.1: "A potential leader sends requests for timed lease votes; upon receiving a quorum of lease
// votes the leader knows it has a lease."
TEST(SpannerPaper, AQuorumOfVotesIsALease) {
  const Configuration five =
      Configuration::Initial({runtime::NodeId(1), runtime::NodeId(2), runtime::NodeId(3),
                              runtime::NodeId(4), runtime::NodeId(5)});
  LeaseCount votes;
  votes.Count(ReplicaId(1), Timestamp(4000));
  votes.Count(ReplicaId(2), Timestamp(4200));
  EXPECT_FALSE(votes.Valid(five, At(1000)));
  votes.Count(ReplicaId(5), Timestamp(4100));
  EXPECT_TRUE(votes.Valid(five, At(1000)));
  // 4.1.1: a lease interval ends when the leader "no longer has a quorum of lease votes (because
  // some have expired)."
  EXPECT_EQ(votes.End(five), Timestamp(4000));
  EXPECT_FALSE(votes.Valid(five, At(3995)));
}

// 4.1.1: "the leader requests lease-vote extensions if they are near expiration." Ours renews them
// by heartbeats, well before.
TEST(SpannerPaper, ALeaderExtendsItsLease) {
  Story story;
  Play(&story, {"group 3", "elect 1", "run 20000"});
  const std::string state = Play(&story, {"state"});
  EXPECT_TRUE(Says(state, "1: leading, promised 1.1")) << state;
}

// 4.1.1: "for each Paxos group, each Paxos leader's lease interval is disjoint from every other
// leader's." The watchers ask after every command.
TEST(SpannerPaper, LeaseIntervalsAreDisjoint) {
  Story story;
  Play(&story, {"group 3", "elect 1", "crash 1"});
  // One unit before the votes have run out nobody leads, by whatever means.
  Play(&story, {"advance 2995", "stand 2", "stand 3", "run 10"});
  EXPECT_FALSE(Says(Play(&story, {"state"}), "leading"));
  EXPECT_TRUE(Says(Play(&story, {"run 600"}), "is leading"));
}

// 4.1.2: "a leader must only assign timestamps within the interval of its leader lease."
TEST(SpannerPaper, TimestampsLieWithinTheLease) {
  Story story;
  Play(&story, {"group 3", "elect 1"});
  EXPECT_FALSE(Says(Play(&story, {"propose 1 x at 3994"}), "refused"));
  EXPECT_TRUE(Says(Play(&story, {"propose 1 x at 3995"}), "is not inside the lease"));
  EXPECT_TRUE(Says(Play(&story, {"pin 1 3995"}), "is not inside the lease"));
}

// 4.1.2: "Within each Paxos group, Spanner assigns timestamps to Paxos writes in monotonically
// increasing order, even across leaders."
TEST(SpannerPaper, TimestampsGrowAcrossLeaders) {
  Story story;
  Play(&story, {"group 3", "elect 1", "propose 1 x at 3900", "run 20", "crash 1", "run 3600"});
  const std::string told = Play(&story, {"state", "stand 2", "stand 3"});
  // The watchers compare all that was assigned, and all that stands in the log.
  EXPECT_FALSE(story.failed()) << told;
}

// 4.1.2: "whenever a timestamp s is assigned, s_max is advanced to s to preserve disjointness", and
// 4.1.1: "Before abdicating, a leader must wait until TT.after(s_max) is true."
TEST(SpannerPaper, AnAbdicationWaitsForSMax) {
  Story story;
  Play(&story, {"group 3", "elect 1", "propose 1 x at 2000", "run 20", "abdicate 1 2"});
  EXPECT_FALSE(Says(Play(&story, {"run 970"}), "1 is follower"));  // Until 1990.
  EXPECT_TRUE(Says(Play(&story, {"run 60"}), "1 is follower"));
}

// Appendix A: the leader counts a vote from TT.now().earliest, computed before it asks; the granter
// holds it until ten seconds after TT.now().latest, computed after it was asked, and "will not grant
// another lease vote until TT.after(t_end) is true."
TEST(SpannerPaper, AVoteIsHeldLongerThanItIsCounted) {
  AcceptorFixture granter;
  const Moment asked = At(1000);
  const VoteRequest vote{asked.now.earliest + kLease, kLease};
  granter.acceptor().Handle(
      ReplicaId(2),
      Prepare{.ballot = Of(1, 2), .chosen_through = Slot(), .vote = vote, .released = {}},
      At(1400));
  const Vote& given = granter.acceptor().hard_state().vote;
  EXPECT_EQ(given.expiry, Timestamp(3995));
  EXPECT_EQ(given.held_until, Timestamp(4405));
  EXPECT_FALSE(granter.acceptor().FreeFor(ReplicaId(3), At(4410)));  // Its earliest is 4405.
  EXPECT_TRUE(granter.acceptor().FreeFor(ReplicaId(3), At(4411)));
}

// Appendix A: "To enforce this rule across different incarnations of r, Spanner logs a lease vote at
// the granting replica before granting the lease".
TEST(SpannerPaper, AVoteOutlivesTheProcess) {
  AcceptorFixture before;
  (void)before.Prepare(Of(1, 2), At(1000));
  AcceptorFixture after(before.acceptor().hard_state());
  const Refuse refuse = std::get<Refuse>(after.Prepare(Of(2, 3), At(3900)).value());
  EXPECT_EQ(refuse.reason, RefuseReason::kHeld);
  EXPECT_TRUE(std::holds_alternative<Promise>(after.Prepare(Of(2, 3), At(4100)).value()));
}

// 4.2.4: the leader "maintains a mapping MinNextTS(n) from Paxos sequence number n to the minimum
// timestamp that may be assigned to Paxos sequence number n + 1", and does not assign below it.
TEST(SpannerPaper, NothingIsAssignedBelowMinNextTS) {
  Story story;
  Play(&story, {"group 3", "elect 1"});
  const std::string told = Play(&story, {"advance 750", "tick 1"});
  EXPECT_TRUE(Says(told, "safe 1754 after slot 1")) << told;
  EXPECT_TRUE(Says(Play(&story, {"propose 1 x"}), "\"x\" at 1755"));
}

}  // namespace
}  // namespace paxos
