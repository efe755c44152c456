// The simulated network: what it promises, and each thing that can go wrong with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/simulated/simulated_network.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"

namespace simulated {
namespace {

using ::runtime::MessageKind;
using ::runtime::SleepFor;
using ::runtime::Task;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Result = absl::StatusOr<std::string>;

constexpr NodeId kOne(1);
constexpr NodeId kTwo(2);
constexpr NodeId kThree(3);
constexpr MessageKind kKind(7);

// Serves a few methods and keeps what happened.
class Peer final : public NodeProgram {
 public:
  explicit Peer(runtime::World* world) : world_(*world), scope_(world->loop(0)) {
    Serve("/test/Echo",
          [this](NodeId caller, std::string request) { return Echo(caller, std::move(request)); });
    Serve("/test/Slow", [this](NodeId, std::string) { return Slow(); });
    registrations_.push_back(world_.network().Receive(
        kKind, &world_.loop(0), [this](NodeId sender, std::string payload) {
          received.push_back(absl::StrCat("n", sender.value(), " ", payload));
        }));
  }

  // Calls from here; the result comes into `results`.
  void Call(NodeId peer, std::string method, std::string request, Duration timeout) {
    static_cast<SimulatedExecutor&>(world_.loop(0)).Do([&] {
      scope_.Spawn(DoCall(peer, std::move(method), std::move(request), timeout));
    });
  }
  void CancelCalls() {
    static_cast<SimulatedExecutor&>(world_.loop(0)).Do([this] { scope_.Cancel(); });
  }
  void Writable(NodeId peer) {
    static_cast<SimulatedExecutor&>(world_.loop(0)).Do([&] { scope_.Spawn(DoWritable(peer)); });
  }
  runtime::Network& network() { return world_.network(); }
  void StopServing() {
    static_cast<SimulatedExecutor&>(world_.loop(0)).Do([this] { registrations_.clear(); });
  }

  std::vector<Result> results;
  std::vector<absl::Status> writable;
  std::vector<std::string> received;
  std::vector<absl::Status> handlers_ended;  // Of /test/Slow.
  int handlers_started = 0;

 private:
  void Serve(std::string method, runtime::Network::CallHandler handler) {
    registrations_.push_back(
        world_.network().Serve(std::move(method), &world_.loop(0), std::move(handler)));
  }
  Task<Result> Echo(NodeId caller, std::string request) {
    ++handlers_started;
    if (request == "fail") co_return absl::FailedPreconditionError("told to");
    co_return absl::StrCat("n", world_.node().value(), " heard ", request, " from n",
                           caller.value());
  }
  Task<Result> Slow() {
    ++handlers_started;
    const absl::Status slept = co_await SleepFor(1s);
    handlers_ended.push_back(slept);
    if (!slept.ok()) co_return slept;
    co_return "slept";
  }
  Task<void> DoCall(NodeId peer, std::string method, std::string request, Duration timeout) {
    results.push_back(co_await world_.network().Call(peer, method, request, timeout));
  }
  Task<void> DoWritable(NodeId peer) {
    writable.push_back(co_await world_.network().Writable(peer));
  }

  runtime::World& world_;
  runtime::TaskScope scope_;
  std::vector<runtime::Network::Registration> registrations_;
};

class NetworkTest : public ::testing::Test {
 protected:
  NetworkTest() {
    for (NodeId node : {kOne, kTwo, kThree}) Add(node, {});
    universe_.RunFor(1ms);
  }

  void Add(NodeId node, NetworkLimits limits) {
    NodeOptions options;
    options.program = [](runtime::World& world) { return std::make_unique<Peer>(&world); };
    options.network = limits;
    universe_.AddNode(node, std::move(options));
  }
  Peer& peer(NodeId node) { return *static_cast<Peer*>(universe_.node(node).program()); }
  Result CallNow(NodeId from, NodeId to, std::string method, std::string request,
                 Duration timeout = 2s) {
    peer(from).results.clear();
    peer(from).Call(to, std::move(method), std::move(request), timeout);
    EXPECT_TRUE(universe_.RunUntil([&] { return !peer(from).results.empty(); }, 60s));
    return peer(from).results.at(0);
  }

  Universe universe_{4711};
};

TEST_F(NetworkTest, ACallIsAnsweredByItsHandler) {
  EXPECT_EQ(*CallNow(kOne, kTwo, "/test/Echo", "this"), "n2 heard this from n1");
  EXPECT_GE(universe_.now(), MonotonicTime() + 1ms + 100us);
  EXPECT_TRUE(absl::IsFailedPrecondition(CallNow(kOne, kTwo, "/test/Echo", "fail").status()));
  EXPECT_TRUE(absl::IsUnimplemented(CallNow(kOne, kTwo, "/test/Other", "").status()));
  EXPECT_TRUE(absl::IsNotFound(CallNow(kOne, NodeId(9), "/test/Echo", "").status()));
}

TEST_F(NetworkTest, ACallToTheOwnNodeNeedsNoNetwork) {
  universe_.link(kOne, kOne).loss = 1;
  const MonotonicTime before = universe_.now();
  EXPECT_EQ(*CallNow(kOne, kOne, "/test/Echo", "me"), "n1 heard me from n1");
  EXPECT_EQ(universe_.now(), before);
}

TEST_F(NetworkTest, ADeadlineEndsTheCallAndItsHandler) {
  const MonotonicTime before = universe_.now();
  const Result result = CallNow(kOne, kTwo, "/test/Slow", "", 50ms);
  EXPECT_TRUE(absl::IsDeadlineExceeded(result.status())) << result.status();
  EXPECT_EQ(universe_.now() - before, 50ms);
  universe_.RunFor(10ms);
  ASSERT_THAT(peer(kTwo).handlers_ended, SizeIs(1));
  EXPECT_FALSE(peer(kTwo).handlers_ended[0].ok());
}

TEST_F(NetworkTest, CancellingTheCallerCancelsTheHandler) {
  peer(kOne).Call(kTwo, "/test/Slow", "", 10s);
  universe_.RunFor(10ms);
  EXPECT_EQ(peer(kTwo).handlers_started, 1);
  peer(kOne).CancelCalls();
  universe_.RunFor(10ms);
  ASSERT_THAT(peer(kOne).results, SizeIs(1));
  EXPECT_TRUE(absl::IsCancelled(peer(kOne).results[0].status()));
  ASSERT_THAT(peer(kTwo).handlers_ended, SizeIs(1));
  EXPECT_TRUE(absl::IsCancelled(peer(kTwo).handlers_ended[0]));
}

TEST_F(NetworkTest, ALostReplyLeavesTheHandlerRunAndTheCallerWithoutAnswer) {
  universe_.link(kTwo, kOne).cut = true;
  const Result result = CallNow(kOne, kTwo, "/test/Echo", "x");
  EXPECT_TRUE(absl::IsDeadlineExceeded(result.status()) || absl::IsUnavailable(result.status()));
  EXPECT_EQ(peer(kTwo).handlers_started, 1);
  EXPECT_EQ(*CallNow(kTwo, kThree, "/test/Echo", "y"), "n3 heard y from n2");
}

TEST_F(NetworkTest, LossShowsAsBothErrors) {
  universe_.link(kOne, kTwo).loss = 0.5;
  int answered = 0;
  int deadline = 0;
  int unavailable = 0;
  for (int i = 0; i < 100; ++i) {
    const Result result = CallNow(kOne, kTwo, "/test/Echo", "x", 1s);
    answered += result.ok() ? 1 : 0;
    deadline += absl::IsDeadlineExceeded(result.status()) ? 1 : 0;
    unavailable += absl::IsUnavailable(result.status()) ? 1 : 0;
  }
  EXPECT_EQ(answered + deadline + unavailable, 100);
  EXPECT_NEAR(answered, 50, 20);
  EXPECT_GT(deadline, 5);
  EXPECT_GT(unavailable, 5);
}

TEST_F(NetworkTest, PartitionsAreWholeOrPartialAndHeal) {
  const auto reaches = [&](NodeId from, NodeId to) {
    return CallNow(from, to, "/test/Echo", "x", 1s).ok();
  };
  universe_.Partition({{kOne}, {kTwo, kThree}});
  EXPECT_FALSE(reaches(kOne, kTwo));
  EXPECT_FALSE(reaches(kThree, kOne));
  EXPECT_TRUE(reaches(kTwo, kThree));
  universe_.Partition({{kOne}, {kTwo}});
  EXPECT_FALSE(reaches(kOne, kTwo));
  EXPECT_TRUE(reaches(kOne, kThree));
  EXPECT_TRUE(reaches(kTwo, kThree));
  universe_.Heal();
  EXPECT_TRUE(reaches(kOne, kTwo));
}

TEST_F(NetworkTest, APeerThatIsDownRefusesAndARestartedOneAnswers) {
  universe_.node(kTwo).Crash();
  EXPECT_TRUE(absl::IsUnavailable(CallNow(kOne, kTwo, "/test/Echo", "x").status()));
  universe_.node(kTwo).Restart();
  universe_.RunFor(1ms);
  EXPECT_TRUE(CallNow(kOne, kTwo, "/test/Echo", "x").ok());
}

TEST_F(NetworkTest, ABrokenConnectionEndsTheCallsUnderWay) {
  peer(kOne).Call(kTwo, "/test/Slow", "", 10s);
  universe_.RunFor(10ms);
  universe_.BreakConnection(kOne, kTwo);
  universe_.RunFor(10ms);
  ASSERT_THAT(peer(kOne).results, SizeIs(1));
  EXPECT_TRUE(absl::IsUnavailable(peer(kOne).results[0].status()));
  EXPECT_EQ(peer(kTwo).handlers_started, 1);
  EXPECT_THAT(peer(kTwo).handlers_ended, SizeIs(1));
  EXPECT_TRUE(CallNow(kOne, kTwo, "/test/Echo", "x").ok());
}

TEST_F(NetworkTest, ACrashAtEitherEndLeavesNothingBehind) {
  for (int i = 0; i < 20; ++i) {
    universe_.node(kTwo).Restart();
    universe_.node(kOne).Restart();
    universe_.RunFor(1ms);
    for (int j = 0; j < 5; ++j) peer(kOne).Call(kTwo, "/test/Slow", "", 5s);
    universe_.RunFor(universe_.random().Uniform(0ns, 300us));
    universe_.node(i % 2 == 0 ? kOne : kTwo).Crash();
    if (i % 2 == 1) {
      EXPECT_TRUE(universe_.RunUntil([&] { return peer(kOne).results.size() == 5; }, 6s));
      for (const Result& result : peer(kOne).results) EXPECT_FALSE(result.ok());
    }
  }
}

TEST_F(NetworkTest, TooManyCallsAreRefused) {
  const NodeId small(4);
  Add(small, {.calls_max = 3});
  universe_.RunFor(1ms);
  for (int i = 0; i < 5; ++i) peer(kOne).Call(small, "/test/Slow", "", 5s);
  universe_.RunFor(100ms);
  ASSERT_THAT(peer(kOne).results, SizeIs(2));
  EXPECT_TRUE(absl::IsResourceExhausted(peer(kOne).results[0].status()));
  universe_.RunFor(2s);
  EXPECT_THAT(peer(kOne).results, SizeIs(5));
}

TEST_F(NetworkTest, AMethodThatIsNoLongerServedEndsItsCalls) {
  peer(kOne).Call(kTwo, "/test/Slow", "", 5s);
  universe_.RunFor(10ms);
  peer(kTwo).StopServing();
  universe_.RunFor(10ms);
  ASSERT_THAT(peer(kOne).results, SizeIs(1));
  EXPECT_FALSE(peer(kOne).results[0].ok());
  EXPECT_THAT(peer(kTwo).handlers_ended, SizeIs(1));
  EXPECT_TRUE(absl::IsUnimplemented(CallNow(kOne, kTwo, "/test/Slow", "").status()));
}

TEST_F(NetworkTest, APausedPeerAnswersLate) {
  universe_.node(kTwo).Pause();
  peer(kOne).Call(kTwo, "/test/Echo", "x", 10s);
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "m").ok());
  universe_.RunFor(5s);
  EXPECT_THAT(peer(kOne).results, IsEmpty());
  EXPECT_THAT(peer(kTwo).received, IsEmpty());
  universe_.node(kTwo).Resume();
  universe_.RunFor(10ms);
  EXPECT_THAT(peer(kOne).results, SizeIs(1));
  EXPECT_THAT(peer(kTwo).received, ElementsAre("n1 m"));
}

std::vector<std::string> Numbers(int count) {
  std::vector<std::string> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(absl::StrCat("n1 ", i));
  return numbers;
}

TEST_F(NetworkTest, MessagesComeInOrder) {
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, absl::StrCat(i)).ok());
    if (i % 7 == 0) universe_.RunFor(20us);
  }
  universe_.RunFor(1s);
  EXPECT_EQ(peer(kTwo).received, Numbers(200));
  EXPECT_TRUE(absl::IsNotFound(peer(kOne).network().Send(NodeId(9), kKind, "")));
}

TEST_F(NetworkTest, MessagesToTheOwnNodeAreNeverLost) {
  universe_.link(kOne, kOne).loss = 1;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(peer(kOne).network().Send(kOne, kKind, absl::StrCat(i)).ok());
  }
  universe_.RunFor(1ms);
  EXPECT_EQ(peer(kOne).received, Numbers(100));
}

TEST_F(NetworkTest, FaultsLoseDuplicateAndReorderMessages) {
  const auto send = [&] {
    peer(kTwo).received.clear();
    for (int i = 0; i < 1000; ++i) {
      ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, absl::StrCat(i)).ok());
      universe_.RunFor(10us);
    }
    universe_.RunFor(1s);
  };
  universe_.link(kOne, kTwo).loss = 0.2;
  send();
  EXPECT_NEAR(static_cast<double>(peer(kTwo).received.size()), 800, 60);
  universe_.Heal();
  universe_.link(kOne, kTwo).duplication = 0.2;
  send();
  EXPECT_NEAR(static_cast<double>(peer(kTwo).received.size()), 1200, 60);
  universe_.Heal();
  universe_.link(kOne, kTwo).reordering = 0.2;
  send();
  EXPECT_THAT(peer(kTwo).received, SizeIs(1000));
  EXPECT_NE(peer(kTwo).received, Numbers(1000));
}

TEST_F(NetworkTest, ACloggedLinkDeliversLater) {
  universe_.Clog(kOne, kTwo, 3s);
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "0").ok());
  universe_.RunFor(2900ms);
  EXPECT_THAT(peer(kTwo).received, IsEmpty());
  universe_.RunFor(200ms);
  EXPECT_THAT(peer(kTwo).received, SizeIs(1));
}

TEST_F(NetworkTest, ASlowLinkTakesTheTimeOfItsBytes) {
  universe_.link(kOne, kTwo).bytes_per_second = 1'000'000;
  const MonotonicTime before = universe_.now();
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, std::string(500'000, 'x')).ok());
  EXPECT_TRUE(universe_.RunUntil([&] { return !peer(kTwo).received.empty(); }, 10s));
  EXPECT_GE(universe_.now() - before, 500ms);
}

TEST_F(NetworkTest, AFullQueueRefusesAndWritableWaitsForRoom) {
  const NodeId small(4);
  Add(small, {.stream = {.queue_bytes_max = 10'000, .window_bytes_max = 1'000}});
  universe_.RunFor(1ms);
  universe_.node(kTwo).Pause();
  int sent = 0;
  absl::Status status;
  while ((status = peer(small).network().Send(kTwo, kKind, std::string(100, 'x'))).ok()) {
    ++sent;
    universe_.RunFor(50us);
    ASSERT_LT(sent, 1000);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  peer(small).Writable(kTwo);
  universe_.RunFor(10s);
  EXPECT_THAT(peer(small).writable, IsEmpty()) << "a receiver that stands still gives no room";
  universe_.node(kTwo).Resume();
  universe_.RunFor(10ms);
  ASSERT_THAT(peer(small).writable, SizeIs(1));
  EXPECT_TRUE(peer(small).writable[0].ok());
  universe_.RunFor(1s);
  EXPECT_THAT(peer(kTwo).received, SizeIs(sent));
}

TEST_F(NetworkTest, ACrashOfTheReceiverGivesTheWindowBack) {
  universe_.node(kTwo).Pause();
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, std::string(2 << 20, 'x')).ok());
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "0").ok());
  universe_.RunFor(100ms);
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "1").ok());
  universe_.node(kTwo).Restart();
  universe_.RunFor(100ms);
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "2").ok());
  universe_.RunFor(100ms);
  EXPECT_FALSE(peer(kTwo).received.empty());
  EXPECT_EQ(peer(kTwo).received.back(), "n1 2");
}

// Stamps with what it is told to, and keeps what it sees.
class Stamper final : public runtime::ClockStamper {
 public:
  explicit Stamper(int64_t now) : now_(now) {}
  runtime::ClockStamp Stamp() override { return {Timestamp(now_), Timestamp(now_ + 10)}; }
  void Observe(NodeId peer, runtime::ClockStamp stamp, std::optional<Duration> age_max) override {
    seen.push_back(absl::StrCat("n", peer.value(), " ", stamp.earliest.nanoseconds()));
    ages.push_back(age_max);
  }

  std::vector<std::string> seen;
  std::vector<std::optional<Duration>> ages;

 private:
  const int64_t now_;
};

TEST_F(NetworkTest, CallsRepliesAndBatchesCarryStamps) {
  Stamper one(100);
  Stamper two(200);
  peer(kOne).network().SetClockStamper(&one);
  peer(kTwo).network().SetClockStamper(&two);
  ASSERT_TRUE(CallNow(kOne, kTwo, "/test/Echo", "x").ok());
  EXPECT_THAT(two.seen, ElementsAre("n1 100"));
  EXPECT_FALSE(two.ages[0].has_value());
  EXPECT_THAT(one.seen, ElementsAre("n2 200"));
  ASSERT_TRUE(one.ages[0].has_value());
  EXPECT_GE(*one.ages[0], 100us);
  // A batch carries one stamp; a reply that nobody waits for is not observed.
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "m").ok());
  universe_.RunFor(10ms);
  EXPECT_THAT(two.seen, ElementsAre("n1 100", "n1 100"));
  peer(kOne).network().SetClockStamper(nullptr);
  peer(kTwo).network().SetClockStamper(nullptr);
}

TEST_F(NetworkTest, TheTraceShowsTheMessages) {
  TraceRing trace(100);
  universe_.SetTrace(&trace);
  ASSERT_TRUE(peer(kOne).network().Send(kTwo, kKind, "hello").ok());
  universe_.RunFor(10ms);
  universe_.SetTrace(nullptr);
  ASSERT_FALSE(trace.lines().empty());
  EXPECT_THAT(trace.lines().front(), HasSubstr("n1 send kind=7 to n2 5B"));
  EXPECT_THAT(trace.lines().back(), HasSubstr("n2 recv kind=7 from n1 5B"));
}

}  // namespace
}  // namespace simulated
