// Calls between two real nodes, and from a node to itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/blocking.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/real/real_world.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::Executor;
using runtime::Lane;
using runtime::Network;
using runtime::NodeId;
using runtime::Task;
using testing::HasSubstr;

constexpr char kMethod[] = "/test.Service/Method";
using Reply = absl::StatusOr<std::string>;

// Long enough to be never reached; a test that hangs is stopped by CTest.
constexpr runtime::Duration kLong = 100s;

Task<Reply> Echo(NodeId caller, std::string request) {
  co_return absl::StrCat("to ", caller.value(), ": ", request);
}

// Two nodes that know each other, and calls on one of the lanes.
class CallsTest : public testing::TestWithParam<Lane> {
 protected:
  explicit CallsTest(RealWorldOptions server_options = ListeningOptions(2))
      : client_(TestWorld(TestOptions(1))), server_(TestWorld(std::move(server_options))) {
    client_->network().SetPeer(NodeId(2), AddressOf(*server_));
  }

  Network::Registration Serve(Network::CallHandler handler) {
    return server_->network().Serve(kMethod, &server_->loop(1), std::move(handler));
  }
  // Until what the server's loop was doing has ended.
  void WaitForServer() {
    server_->RunUntilDone([](Executor* loop, Task<bool> task) -> Task<bool> {
      co_return co_await runtime::RunOn(loop, std::move(task));
    }(&server_->loop(1), []() -> Task<bool> { co_return true; }()));
  }
  Reply Call(std::string request, runtime::Duration timeout = kLong) {
    return client_->RunUntilDone(
        client_->network().Call(NodeId(2), kMethod, std::move(request), timeout, GetParam()));
  }

  std::unique_ptr<RealWorld> client_;
  std::unique_ptr<RealWorld> server_;
};

TEST_P(CallsTest, GiveTheReplyOfTheHandler) {
  const auto served = Serve(Echo);
  EXPECT_EQ(*Call("hello"), "to 1: hello");
}

TEST_P(CallsTest, CarryEmptyAndLargePayloads) {
  const auto served = Serve(Echo);
  EXPECT_EQ(*Call(""), "to 1: ");
  const std::string large(5 << 20, 'x');
  EXPECT_EQ(*Call(large), "to 1: " + large);
}

Task<Reply> Fail(NodeId, std::string code) {
  co_return absl::Status(static_cast<absl::StatusCode>(std::stoi(code)), "says the handler");
}

TEST_P(CallsTest, GiveTheErrorOfTheHandlerWordForWord) {
  const auto served = Serve(Fail);
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status = Call(std::to_string(code)).status();
    EXPECT_EQ(static_cast<int>(status.code()), code);
    EXPECT_EQ(status.message(), "says the handler");
  }
}

TEST_P(CallsTest, OfAnUnknownMethodAreUnimplemented) {
  const absl::Status status = Call("x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(status.message()), HasSubstr(kMethod));
}

TEST_P(CallsTest, ToAnUnknownNodeAreNotFound) {
  const Reply reply =
      client_->RunUntilDone(client_->network().Call(NodeId(9), kMethod, "x", kLong, GetParam()));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kNotFound);
}

TEST_P(CallsTest, ToANodeThatIsGoneAreUnavailableAndSayWhich) {
  const std::string address = AddressOf(*server_);
  server_.reset();
  const absl::Status status = Call("x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("node 2 at " + address));
}

// A value that one thread sets and others wait for. (Unlike a promise it may be destroyed as soon
// as the value was seen.)
template <typename T>
class Seen {
 public:
  void Set(T value) {
    const std::lock_guard lock(mutex_);
    value_ = std::move(value);
    changed_.notify_all();
  }
  T Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return value_.has_value(); });
    return *value_;
  }
  bool IsSet() {
    const std::lock_guard lock(mutex_);
    return value_.has_value();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<T> value_;
};

// What a handler that waits until it is cancelled saw.
struct Waiting {
  Seen<bool> began;
  Seen<absl::Status> ended;
};

Task<Reply> WaitUntilCancelled(Waiting* waiting) {
  runtime::Event never;
  waiting->began.Set(true);
  absl::Status reason = co_await never.Wait();
  waiting->ended.Set(reason);
  co_return reason;
}

TEST_P(CallsTest, EndAtTheirDeadlineOnBothSides) {
  Waiting waiting;
  const auto served = Serve([&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  // On a busy machine a call may spend its time before it reaches the handler.
  for (runtime::Duration timeout = 50ms; !waiting.began.IsSet(); timeout *= 2) {
    EXPECT_EQ(Call("x", timeout).status().code(), absl::StatusCode::kDeadlineExceeded);
  }
  // Either clock may be the first to see it: the handler's own, or the caller's that hangs up.
  EXPECT_FALSE(waiting.ended.Wait().ok());
}

Task<Reply> CallAndBeCancelled(RealWorld* client, NodeId peer, Lane lane, Waiting* waiting) {
  runtime::CancelScope scope;
  runtime::TaskScope tasks(Executor::Current(), &scope);
  Reply reply = absl::UnknownError("not set");
  auto call = [](RealWorld* world, NodeId called, Lane on, Reply* result) -> Task<void> {
    *result = co_await world->network().Call(called, kMethod, "x", kLong, on);
  };
  tasks.Spawn(call(client, peer, lane, &reply));
  co_await runtime::RunBlocking(&client->blocking(), [waiting] {
    waiting->began.Wait();
    return true;
  });
  scope.Cancel(absl::AbortedError("changed my mind"));
  co_await tasks.Join();
  co_return reply;
}

TEST_P(CallsTest, CancelledByTheCallerReachTheHandler) {
  Waiting waiting;
  const auto served = Serve([&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  const Reply reply =
      client_->RunUntilDone(CallAndBeCancelled(client_.get(), NodeId(2), GetParam(), &waiting));
  EXPECT_EQ(reply.status(), absl::AbortedError("changed my mind"));
  EXPECT_EQ(waiting.ended.Wait().code(), absl::StatusCode::kCancelled);
}

Task<Reply> CallUnderACancelledScope(RealWorld* client, Lane lane) {
  runtime::CancelScope scope;
  scope.Cancel(absl::AbortedError("before it began"));
  co_return co_await runtime::Under(&scope,
                                    client->network().Call(NodeId(2), kMethod, "x", kLong, lane));
}

TEST_P(CallsTest, UnderACancelledScopeDoNotBegin) {
  EXPECT_EQ(client_->RunUntilDone(CallUnderACancelledScope(client_.get(), GetParam())).status(),
            absl::AbortedError("before it began"));
}

TEST_P(CallsTest, UnderWayWhenTheirRegistrationEndsAreUnavailable) {
  Waiting waiting;
  auto served = Serve([&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  std::future<Reply> reply = std::async(std::launch::async, [&] { return Call("x"); });
  waiting.began.Wait();
  served = Network::Registration();
  EXPECT_FALSE(reply.get().ok());
  EXPECT_EQ(Call("x").status().code(), absl::StatusCode::kUnimplemented);
  WaitForServer();
}

// A handler that ignores its cancellation.
Task<Reply> WaitForEver(Waiting* waiting) {
  runtime::Event never;
  waiting->began.Set(true);
  while (true) {
    runtime::CancelScope deaf;
    (void)co_await runtime::Under(&deaf, [](runtime::Event* event) -> Task<absl::Status> {
      co_return co_await event->Wait();
    }(&never));
  }
}

TEST_P(CallsTest, HandlersAreDestroyedWithTheirRegistrationEvenIfTheyDoNotListen) {
  Waiting waiting;
  auto served = Serve([&](NodeId, std::string) { return WaitForEver(&waiting); });
  std::future<Reply> reply = std::async(std::launch::async, [&] { return Call("x"); });
  waiting.began.Wait();
  served = Network::Registration();
  EXPECT_EQ(reply.get().status().code(), absl::StatusCode::kUnavailable);
}

// What is still there when a world ends, as if the process had crashed. It belongs to no one then,
// and is never destroyed.
template <typename T>
T& Abandoned(T value) {
  static auto* const all = new std::vector<std::unique_ptr<T>>;
  return *all->emplace_back(std::make_unique<T>(std::move(value)));
}

TEST_P(CallsTest, UnderWayWhenTheServerEndsAreUnavailable) {
  Waiting waiting;
  Abandoned(Serve([&](NodeId, std::string) { return WaitForEver(&waiting); }));
  std::future<Reply> reply = std::async(std::launch::async, [&] { return Call("x"); });
  waiting.began.Wait();
  server_.reset();
  EXPECT_EQ(reply.get().status().code(), absl::StatusCode::kUnavailable);
}

Task<Reply> CallOn(RealWorld* client, Lane lane) {
  co_return co_await client->network().Call(NodeId(2), kMethod, "x", kLong, lane);
}

TEST_P(CallsTest, UnderWayWhenTheClientEndsAreCancelled) {
  Waiting waiting;
  auto served = Serve([&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  auto& scope = Abandoned(std::make_unique<runtime::TaskScope>(client_->loop(0)));
  client_->RunUntilDone(
      [](RealWorld* client, runtime::TaskScope* background, Lane lane) -> Task<void> {
        background->Spawn([](RealWorld* caller, Lane on) -> Task<void> {
          (void)co_await CallOn(caller, on);
        }(client, lane));
        co_return;
      }(client_.get(), scope.get(), GetParam()));
  waiting.began.Wait();
  client_.reset();
  EXPECT_EQ(waiting.ended.Wait().code(), absl::StatusCode::kCancelled);
}

class BoundedCallsTest : public CallsTest {
 protected:
  BoundedCallsTest() : CallsTest(Bounded()) {}
  static RealWorldOptions Bounded() {
    RealWorldOptions options = ListeningOptions(2);
    options.calls_max = 1;
    return options;
  }
};

TEST_P(BoundedCallsTest, BeyondTheBoundAreRefused) {
  Waiting waiting;
  auto served = Serve([&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  std::future<Reply> first = std::async(std::launch::async, [&] { return Call("x"); });
  waiting.began.Wait();
  EXPECT_EQ(Call("y").status().code(), absl::StatusCode::kResourceExhausted);
  served = Network::Registration();
  EXPECT_FALSE(first.get().ok());
  WaitForServer();
}

TEST_P(CallsTest, ToTheOwnNodeNeedNoPort) {
  const auto served = client_->network().Serve(kMethod, &client_->loop(1), Echo);
  const auto call = [&](runtime::Duration timeout) {
    return client_->RunUntilDone(
        client_->network().Call(NodeId(1), kMethod, "me", timeout, GetParam()));
  };
  EXPECT_EQ(*call(kLong), "to 1: me");
}

TEST_P(CallsTest, ToTheOwnNodeEndAtTheirDeadlineAndTellTheHandler) {
  Waiting waiting;
  const auto served =
      client_->network().Serve(kMethod, &client_->loop(1),
                               [&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  EXPECT_EQ(
      client_->RunUntilDone(client_->network().Call(NodeId(1), kMethod, "x", 20ms, GetParam()))
          .status()
          .code(),
      absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(waiting.ended.Wait().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_P(CallsTest, ToTheOwnNodeCancelledReachTheHandler) {
  Waiting waiting;
  const auto served =
      client_->network().Serve(kMethod, &client_->loop(1),
                               [&](NodeId, std::string) { return WaitUntilCancelled(&waiting); });
  const Reply reply =
      client_->RunUntilDone(CallAndBeCancelled(client_.get(), NodeId(1), GetParam(), &waiting));
  EXPECT_EQ(reply.status(), absl::AbortedError("changed my mind"));
  EXPECT_EQ(waiting.ended.Wait(), absl::AbortedError("changed my mind"));
}

Task<std::vector<Reply>> CallManyTimes(RealWorld* client, Lane lane, int count) {
  std::vector<Task<Reply>> calls;
  for (int i = 0; i < count; ++i) {
    calls.push_back(client->network().Call(NodeId(2), kMethod, std::to_string(i), kLong, lane));
  }
  co_return co_await runtime::WhenAll(std::move(calls));
}

TEST_P(CallsTest, ManyAtOnceEachGetTheirOwnReply) {
  const auto served = Serve(Echo);
  const std::vector<Reply> replies =
      client_->RunUntilDone(CallManyTimes(client_.get(), GetParam(), 500));
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(*replies[static_cast<size_t>(i)], absl::StrCat("to 1: ", i));
  }
}

// Remembers what it was shown; shows an interval of its own.
class RecordingStamper final : public runtime::ClockStamper {
 public:
  explicit RecordingStamper(int64_t time) : time_(time) {}
  runtime::ClockStamp Stamp() override {
    return {runtime::Timestamp(time_), runtime::Timestamp(time_ + 5)};
  }
  void Observe(NodeId peer, runtime::ClockStamp stamp,
               std::optional<runtime::Duration> age_max) override {
    const std::lock_guard lock(mutex_);
    seen_.push_back(absl::StrCat(peer.value(), " ", stamp.earliest.nanoseconds(), "..",
                                 stamp.latest.nanoseconds(), age_max.has_value() ? " aged" : ""));
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  const int64_t time_;
  std::mutex mutex_;
  std::vector<std::string> seen_;
};

TEST_P(CallsTest, ShowEachSideTheOthersClock) {
  RecordingStamper client_clock(100);
  RecordingStamper server_clock(200);
  client_->network().SetClockStamper(&client_clock);
  server_->network().SetClockStamper(&server_clock);
  const auto served = Serve(Fail);
  EXPECT_FALSE(Call("5").ok());
  EXPECT_THAT(client_clock.seen(), testing::ElementsAre("2 200..205 aged"));
  EXPECT_THAT(server_clock.seen(), testing::ElementsAre("1 100..105"));
  client_->network().SetClockStamper(nullptr);
  server_->network().SetClockStamper(nullptr);
  EXPECT_FALSE(Call("5").ok());
  EXPECT_THAT(client_clock.seen(), testing::SizeIs(1));
}

std::string LaneName(const testing::TestParamInfo<Lane>& lane) {
  return lane.param == Lane::kOwn ? "OwnLane" : "SharedLane";
}

INSTANTIATE_TEST_SUITE_P(Lanes, CallsTest, testing::Values(Lane::kOwn, Lane::kShared), LaneName);
INSTANTIATE_TEST_SUITE_P(Lanes, BoundedCallsTest, testing::Values(Lane::kOwn, Lane::kShared),
                         LaneName);

}  // namespace
}  // namespace real
