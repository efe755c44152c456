// An acceptor whose clock has no reading yet, as after a restart: its interval is all of time.
#include "paxos/kernel/acceptor.h"

#include <gtest/gtest.h>

#include "paxos/kernel/replica.h"
#include "tests/paxos/kernel/acceptor_fixture.h"

namespace paxos {
namespace {

constexpr Ballot kFirst{1, ReplicaId(2)};

Moment WithoutReading(int64_t monotonic) {
  return {.now = {Timestamp::Min(), Timestamp::Max()},
          .time_safe = false,
          .monotonic = MonotonicTime(monotonic)};
}

HardState VotedFor2() {
  AcceptorFixture before;
  (void)before.Prepare(kFirst, At(1000));
  return before.acceptor().hard_state();
}

TEST(AcceptorWithoutReading, HoldsItsVoteForAnyLengthOfTime) {
  AcceptorFixture after(VotedFor2());
  EXPECT_EQ(after.acceptor().HeldFor(WithoutReading(5)), Duration::max());
}

TEST(AcceptorWithoutReading, IsLookedAtAgainSoon) {
  ReplicaOptions options;
  options.self = ReplicaId(1);
  Recovered recovered;
  recovered.hard_state = VotedFor2();
  recovered.hard_state.self = ReplicaId(1);
  recovered.configuration =
      Configuration::Initial({runtime::NodeId(1), runtime::NodeId(2), runtime::NodeId(3)});
  Replica replica(options, recovered, 1);
  replica.Tick(WithoutReading(5));
  EXPECT_LE(replica.wake(), MonotonicTime(5) + options.retransmit_after);
}

}  // namespace
}  // namespace paxos
