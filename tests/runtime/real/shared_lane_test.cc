// What is special about calls on the shared lane. (That they are calls like any others, calls_test
// says.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/real/file_descriptor.h"
#include "runtime/real/real_world.h"
#include "runtime/real/socket_address.h"
#include "runtime/sleep.h"
#include "runtime/status_macros.h"
#include "runtime/when.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::Lane;
using runtime::MessageKind;
using runtime::Network;
using runtime::NodeId;
using runtime::Task;

constexpr char kMethod[] = "/test.Service/Method";
constexpr runtime::Duration kLong = 100s;
using Reply = absl::StatusOr<std::string>;

Task<Reply> Echo(NodeId, std::string request) { co_return request; }

// Answers with as many bytes as it is asked for.
Task<Reply> Fill(NodeId, std::string bytes) { co_return std::string(std::stoul(bytes), 'x'); }

// The requests all at once.
Task<std::vector<Reply>> CallAll(RealWorld* client, std::vector<std::string> requests,
                                 runtime::Duration timeout) {
  std::vector<Task<Reply>> calls;
  for (std::string& request : requests) {
    calls.push_back(
        client->network().Call(NodeId(2), kMethod, std::move(request), timeout, Lane::kShared));
  }
  co_return co_await runtime::WhenAll(std::move(calls));
}

class SharedLaneTest : public testing::Test {
 protected:
  explicit SharedLaneTest(RealWorldOptions client_options = TestOptions(1),
                          RealWorldOptions server_options = ListeningOptions(2))
      : client_(TestWorld(std::move(client_options))),
        server_(TestWorld(std::move(server_options))) {
    client_->network().SetPeer(NodeId(2), AddressOf(*server_));
  }

  Network::Registration Serve(Network::CallHandler handler) {
    return server_->network().Serve(kMethod, &server_->loop(1), std::move(handler));
  }
  Reply Call(std::string request, runtime::Duration timeout = kLong) {
    return client_->RunUntilDone(
        client_->network().Call(NodeId(2), kMethod, std::move(request), timeout, Lane::kShared));
  }
  std::vector<Reply> Calls(std::vector<std::string> requests, runtime::Duration timeout = kLong) {
    return client_->RunUntilDone(CallAll(client_.get(), std::move(requests), timeout));
  }
  static double Count(RealWorld& world, const std::string& name) {
    return world.metrics().GetCounter(name, "", {}).value();
  }

  std::unique_ptr<RealWorld> client_;
  std::unique_ptr<RealWorld> server_;
};

TEST_F(SharedLaneTest, ManyCallsShareFewBatches) {
  const auto served = Serve(Echo);
  std::vector<std::string> requests;
  for (int i = 0; i < 2000; ++i) requests.push_back(std::to_string(i));
  const std::vector<Reply> replies = Calls(requests);
  for (size_t i = 0; i < requests.size(); ++i) EXPECT_EQ(*replies[i], requests[i]);
  EXPECT_LT(Count(*client_, "isochron_batches_sent_total"), 500);
  EXPECT_LT(Count(*server_, "isochron_batches_sent_total"), 1000);
  EXPECT_EQ(Count(*client_, "isochron_messages_sent_total"), 0);
  EXPECT_EQ(Count(*client_, "isochron_calls_total"), 2000);
  EXPECT_EQ(Count(*client_, "isochron_calls_failed_total"), 0);
  EXPECT_EQ(Count(*server_, "isochron_calls_served_total"), 2000);
}

TEST_F(SharedLaneTest, CarriesRepliesThatFillManyBatchesOrFitInNone) {
  const auto served = Serve(Fill);
  const std::vector<Reply> replies = Calls({"600000", "3000000", "0", "600000", "5000000"});
  EXPECT_EQ(replies[0]->size(), 600'000);
  EXPECT_EQ(replies[1]->size(), 3'000'000);
  EXPECT_EQ(replies[2]->size(), 0);
  EXPECT_EQ(replies[3]->size(), 600'000);
  EXPECT_EQ(replies[4]->size(), 5'000'000);
}

TEST_F(SharedLaneTest, RefusesAReplyThatNoMessageCanCarryAndGoesOn) {
  const auto served = Serve(Fill);
  EXPECT_EQ(Call(std::to_string(size_t{65} << 20)).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Call("3")->size(), 3);
}

TEST_F(SharedLaneTest, GoesOnWhenThePeerHasRestartedOnItsPort) {
  const std::string address = AddressOf(*server_);
  auto served = Serve(Echo);
  EXPECT_EQ(*Call("before"), "before");
  served = Network::Registration();
  server_.reset();
  EXPECT_EQ(Call("meanwhile").status().code(), absl::StatusCode::kUnavailable);

  RealWorldOptions options = ListeningOptions(2);
  options.listen_address = address;
  server_ = TestWorld(options);
  served = Serve(Echo);
  Reply reply = Call("after");
  while (!reply.ok()) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
    reply = Call("after");
  }
  EXPECT_EQ(*reply, "after");
}

Task<std::vector<Reply>> CallOnBothLanes(RealWorld* client, int count) {
  std::vector<Task<Reply>> calls;
  for (int i = 0; i < count; ++i) {
    calls.push_back(client->network().Call(NodeId(2), kMethod, std::to_string(i), kLong,
                                           i % 2 == 0 ? Lane::kOwn : Lane::kShared));
  }
  co_return co_await runtime::WhenAll(std::move(calls));
}

TEST_F(SharedLaneTest, SharesHandlersWithTheOwnLane) {
  const auto served = Serve(Echo);
  const std::vector<Reply> replies = client_->RunUntilDone(CallOnBothLanes(client_.get(), 200));
  for (size_t i = 0; i < 200; ++i) EXPECT_EQ(*replies[i], std::to_string(i));
}

TEST_F(SharedLaneTest, GoesBothWaysBetweenTwoNodes) {
  client_ = TestWorld(ListeningOptions(1));
  client_->network().SetPeer(NodeId(2), AddressOf(*server_));
  server_->network().SetPeer(NodeId(1), AddressOf(*client_));
  const auto inner = client_->network().Serve("/test.Service/Inner", &client_->loop(0), Echo);
  // The handler asks who called it.
  const auto served = Serve([this](NodeId caller, std::string request) {
    return server_->network().Call(caller, "/test.Service/Inner", std::move(request), kLong,
                                   Lane::kShared);
  });
  EXPECT_EQ(*Call("to and fro"), "to and fro");
}

// Little may wait: 64 KiB for each peer.
class NarrowSharedLaneTest : public SharedLaneTest {
 protected:
  NarrowSharedLaneTest() : SharedLaneTest(Narrow(TestOptions(1)), Narrow(ListeningOptions(2))) {}
  static RealWorldOptions Narrow(RealWorldOptions options) {
    options.queue_bytes_max = 64 << 10;
    options.batch_bytes_max = 16 << 10;
    return options;
  }
};

TEST_F(NarrowSharedLaneTest, ReadsNoMoreRequestsWhileTooManyRepliesWait) {
  const auto served = Serve(Fill);
  for (int round = 0; round < 20; ++round) {
    for (const Reply& reply : Calls(std::vector<std::string>(100, "50000"))) {
      ASSERT_TRUE(reply.ok()) << reply.status();
      EXPECT_EQ(reply->size(), 50'000);
    }
  }
}

// A peer that accepts connections and says nothing.
class SilentPeer {
 public:
  SilentPeer() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress any = *NumericInternetAddress("127.0.0.1:0");
    CHECK_EQ(bind(socket_.number(), any.pointer(), any.length), 0);
    CHECK_EQ(listen(socket_.number(), 16), 0);
  }
  std::string address() const {
    sockaddr_in bound{};
    socklen_t length = sizeof(bound);
    CHECK_EQ(getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&bound), &length), 0);
    return absl::StrCat("127.0.0.1:", ntohs(bound.sin_port));
  }

 private:
  const FileDescriptor socket_;
};

TEST_F(NarrowSharedLaneTest, EndsCallsThatCannotBeSentAndRefusesWhatDoesNotFit) {
  const SilentPeer silent;
  client_->network().SetPeer(NodeId(2), silent.address());
  const std::vector<Reply> replies =
      Calls(std::vector<std::string>(10, std::string(10'000, 'x')), 100ms);
  int late = 0;
  for (const Reply& reply : replies) {
    if (reply.status().code() == absl::StatusCode::kDeadlineExceeded)
      ++late;
    else
      EXPECT_EQ(reply.status().code(), absl::StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(late, 6);
  EXPECT_EQ(Count(*client_, "isochron_calls_failed_total"), 10);
  // What nobody waits for is not sent later.
  const auto served = Serve(Echo);
  client_->network().SetPeer(NodeId(2), AddressOf(*server_));
  EXPECT_EQ(*Call("now"), "now");
  EXPECT_EQ(Count(*server_, "isochron_calls_served_total"), 1);
}

Task<Reply> AnswerLater(NodeId, std::string milliseconds) {
  CO_RETURN_IF_ERROR(
      co_await runtime::SleepFor(std::chrono::milliseconds(std::stoi(milliseconds))));
  co_return std::string(1000, 'x');
}

// Calls in a row, some of which the handler answers too late.
Task<int> CallInARow(RealWorld* client, int first, int count) {
  int answered = 0;
  for (int i = first; i < first + count; ++i) {
    const Reply reply =
        co_await client->network().Call(NodeId(2), kMethod, std::to_string(i % 7),
                                        std::chrono::milliseconds(1 + i % 11), Lane::kShared);
    answered += reply.ok() ? 1 : 0;
  }
  co_return answered;
}

Task<int> CallInRows(RealWorld* client, int rows, int count) {
  std::vector<Task<int>> chains;
  for (int i = 0; i < rows; ++i) chains.push_back(CallInARow(client, i, count));
  int answered = 0;
  for (const int some : co_await runtime::WhenAll(std::move(chains))) answered += some;
  co_return answered;
}

TEST_F(NarrowSharedLaneTest, EndsEveryCallAndLeavesNothingBehindWhateverHappens) {
  const std::string address = AddressOf(*server_);
  auto served = Serve(AnswerLater);
  std::future<int> answered = std::async(std::launch::async, [this] {
    return client_->RunUntilDone(CallInRows(client_.get(), 50, 100));
  });
  while (answered.wait_for(50ms) != std::future_status::ready) {
    served = Network::Registration();
    server_.reset();
    RealWorldOptions options = Narrow(ListeningOptions(2));
    options.listen_address = address;
    options.calls_max = 50;
    server_ = TestWorld(options);
    served = Serve(AnswerLater);
  }
  EXPECT_LE(answered.get(), 50 * 100);  // Perhaps none, on a busy machine.
  // All slots and bytes are free again, once what was cancelled has ended.
  const auto all_answered = [&] {
    for (const Reply& reply : Calls(std::vector<std::string>(50, "0"))) {
      if (!reply.ok()) return false;
    }
    return true;
  };
  while (!all_answered()) {
  }
  const auto fits = [&] {
    return client_->network().Send(NodeId(2), MessageKind(1), std::string(65'000, 'x')).ok();
  };
  while (!fits()) {
  }
}

}  // namespace
}  // namespace real
