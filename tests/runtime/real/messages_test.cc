// One-way messages between two real nodes, and from a node to itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/real/real_world.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::MessageKind;
using runtime::Network;
using runtime::NodeId;
using runtime::Task;
using testing::ElementsAre;

constexpr MessageKind kKind(7);

// What arrived, for the test's thread to wait for.
class Inbox {
 public:
  void Put(NodeId sender, std::string payload) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(absl::StrCat(sender.value(), ":", payload));
    changed_.notify_all();
  }
  Network::MessageHandler Handler() {
    return [this](NodeId sender, std::string payload) { Put(sender, std::move(payload)); };
  }
  // The first `count` messages.
  std::vector<std::string> Wait(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return messages_.size() >= count; });
    return messages_;
  }
  void WaitFor(const std::string& message) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !messages_.empty() && messages_.back() == message; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> messages_;
};

class MessagesTest : public testing::Test {
 protected:
  explicit MessagesTest(RealWorldOptions sender_options = TestOptions(1))
      : sender_(TestWorld(std::move(sender_options))), receiver_(TestWorld(ListeningOptions(2))) {
    sender_->network().SetPeer(NodeId(2), AddressOf(*receiver_));
  }

  absl::Status Send(std::string payload) {
    return sender_->network().Send(NodeId(2), kKind, std::move(payload));
  }
  double Count(RealWorld& world, const std::string& name) {
    return world.metrics().GetCounter(name, "", {}).value();
  }

  std::unique_ptr<RealWorld> sender_;
  std::unique_ptr<RealWorld> receiver_;
};

TEST_F(MessagesTest, ArriveInTheOrderTheyWereSent) {
  Inbox inbox;
  const auto received = receiver_->network().Receive(kKind, &receiver_->loop(1), inbox.Handler());
  std::vector<std::string> sent;
  for (int i = 0; i < 2000; ++i) {
    sent.push_back(absl::StrCat("1:", i));
    ASSERT_TRUE(Send(std::to_string(i)).ok());
  }
  EXPECT_EQ(inbox.Wait(2000), sent);
  EXPECT_LT(Count(*sender_, "isochron_batches_sent_total"), 2000);
  EXPECT_EQ(Count(*sender_, "isochron_messages_sent_total"), 2000);
}

TEST_F(MessagesTest, OfAKindWithoutAHandlerAreDroppedAndCounted) {
  Inbox inbox;
  const auto received = receiver_->network().Receive(kKind, &receiver_->loop(1), inbox.Handler());
  ASSERT_TRUE(sender_->network().Send(NodeId(2), MessageKind(8), "nobody's").ok());
  ASSERT_TRUE(Send("mine").ok());
  EXPECT_THAT(inbox.Wait(1), ElementsAre("1:mine"));
  EXPECT_EQ(Count(*receiver_, "isochron_messages_dropped_total"), 1);
}

TEST_F(MessagesTest, ToAnUnknownNodeAreNotFound) {
  EXPECT_EQ(sender_->network().Send(NodeId(9), kKind, "x").code(), absl::StatusCode::kNotFound);
}

TEST_F(MessagesTest, AreNotHandledAfterTheirRegistrationHasEnded) {
  Inbox inbox;
  Inbox other;
  auto received = receiver_->network().Receive(kKind, &receiver_->loop(1), inbox.Handler());
  const auto sentinel =
      receiver_->network().Receive(MessageKind(8), &receiver_->loop(1), other.Handler());
  ASSERT_TRUE(Send("before").ok());
  EXPECT_THAT(inbox.Wait(1), ElementsAre("1:before"));
  received = Network::Registration();
  ASSERT_TRUE(Send("after").ok());
  ASSERT_TRUE(sender_->network().Send(NodeId(2), MessageKind(8), "end").ok());
  other.WaitFor("1:end");
  EXPECT_THAT(inbox.Wait(1), ElementsAre("1:before"));
}

TEST_F(MessagesTest, WaitForAPeerThatIsNotThereYet) {
  const std::string address = AddressOf(*receiver_);
  receiver_.reset();
  for (const char* payload : {"a", "b", "c"}) ASSERT_TRUE(Send(payload).ok());
  RealWorldOptions options = ListeningOptions(2);
  options.listen_address = address;
  receiver_ = TestWorld(options);
  Inbox inbox;
  // A message may come before its handler is there, which drops it, so more follow.
  const auto received = receiver_->network().Receive(kKind, &receiver_->loop(0), inbox.Handler());
  ASSERT_TRUE(Send("d").ok());
  inbox.WaitFor("1:d");
}

TEST_F(MessagesTest, GoOnWhenThePeerHasRestartedOnItsPort) {
  const std::string address = AddressOf(*receiver_);
  Inbox inbox;
  auto received = receiver_->network().Receive(kKind, &receiver_->loop(0), inbox.Handler());
  ASSERT_TRUE(Send("before").ok());
  inbox.WaitFor("1:before");
  received = Network::Registration();
  receiver_.reset();

  RealWorldOptions options = ListeningOptions(2);
  options.listen_address = address;
  receiver_ = TestWorld(options);
  received = receiver_->network().Receive(kKind, &receiver_->loop(0), inbox.Handler());
  // What was in flight when the stream broke may be lost, so it is sent until it arrives.
  std::future<void> arrived = std::async(std::launch::async, [&] { inbox.WaitFor("1:after"); });
  do {
    ASSERT_TRUE(Send("after").ok());
  } while (arrived.wait_for(10ms) != std::future_status::ready);
}

TEST_F(MessagesTest, ShowTheReceiverTheSendersClock) {
  class Clock final : public runtime::ClockStamper {
   public:
    runtime::ClockStamp Stamp() override {
      return {runtime::Timestamp(100), runtime::Timestamp(105)};
    }
    void Observe(NodeId peer, runtime::ClockStamp stamp,
                 std::optional<runtime::Duration> age_max) override {
      inbox.Put(peer,
                absl::StrCat(stamp.earliest.nanoseconds(), age_max.has_value() ? " aged" : ""));
    }
    Inbox inbox;
  };
  Clock sender_clock;
  Clock receiver_clock;
  sender_->network().SetClockStamper(&sender_clock);
  receiver_->network().SetClockStamper(&receiver_clock);
  ASSERT_TRUE(Send("x").ok());
  receiver_clock.inbox.WaitFor("1:100");
  sender_->network().SetClockStamper(nullptr);
  receiver_->network().SetClockStamper(nullptr);
}

// A queue of 64 KiB, so that a receiver that does not take its messages is soon felt.
class BoundedMessagesTest : public MessagesTest {
 protected:
  static constexpr size_t kQueue = 64 << 10;
  BoundedMessagesTest() : MessagesTest(Bounded()) {}
  static RealWorldOptions Bounded() {
    RealWorldOptions options = TestOptions(1);
    options.queue_bytes_max = kQueue;
    options.batch_bytes_max = 16 << 10;
    return options;
  }
};

TEST_F(BoundedMessagesTest, ThatDoNotFitAtAllAreRefused) {
  EXPECT_EQ(Send(std::string(kQueue, 'x')).code(), absl::StatusCode::kResourceExhausted);
}

Task<absl::Status> Writable(RealWorld* world, NodeId peer, runtime::Duration timeout) {
  co_return co_await runtime::WithTimeout(timeout, world->network().Writable(peer));
}

TEST_F(BoundedMessagesTest, AreHeldBackByASlowReceiverUntilItGoesOn) {
  std::promise<void> go_on;
  std::shared_future<void> may_go_on = go_on.get_future().share();
  std::promise<void> all_arrived;
  size_t arrived = 0;
  const auto received =
      receiver_->network().Receive(kKind, &receiver_->loop(1), [&](NodeId, std::string payload) {
        may_go_on.wait();
        ++arrived;
        if (payload == "last") all_arrived.set_value();
      });
  // A handler that does not return: the receiver stops reading, gRPC's window fills, then our
  // queue.
  size_t sent = 0;
  do {
    while (Send(std::string(1000, 'x')).ok()) ++sent;
  } while (sender_->RunUntilDone(Writable(sender_.get(), NodeId(2), 50ms)).ok());
  EXPECT_EQ(Send(std::string(kQueue / 2, 'x')).code(), absl::StatusCode::kResourceExhausted);
  go_on.set_value();
  ASSERT_TRUE(sender_->RunUntilDone(Writable(sender_.get(), NodeId(2), 100s)).ok());
  ASSERT_TRUE(Send("last").ok());
  all_arrived.get_future().wait();
  EXPECT_EQ(arrived, sent + 1);
}

TEST_F(BoundedMessagesTest, ToTheOwnNodeAreBoundedToo) {
  std::promise<void> go_on;
  std::shared_future<void> may_go_on = go_on.get_future().share();
  Inbox inbox;
  const auto received =
      sender_->network().Receive(kKind, &sender_->loop(1), [&](NodeId sender, std::string payload) {
        may_go_on.wait();
        inbox.Put(sender, payload.substr(0, 1));
      });
  size_t sent = 0;
  while (sender_->network().Send(NodeId(1), kKind, std::string(1000, 'x')).ok()) ++sent;
  EXPECT_GE(sent, kQueue / 1100);
  go_on.set_value();
  ASSERT_TRUE(sender_->RunUntilDone(Writable(sender_.get(), NodeId(1), 100s)).ok());
  EXPECT_THAT(inbox.Wait(sent), testing::SizeIs(sent));
}

}  // namespace
}  // namespace real
