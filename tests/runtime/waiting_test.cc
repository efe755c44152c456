// Event, Channel and OneShot: what tasks of one executor wait for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/channel.h"
#include "runtime/event.h"
#include "runtime/one_shot.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "tests/runtime/inline_executor.h"

namespace runtime {
namespace {

using ::testing::ElementsAre;
using Lines = std::vector<std::string>;

std::string Text(const absl::Status& status) {
  return status.ok() ? "ok" : std::string(status.message());
}

class WaitingTest : public ::testing::Test {
 protected:
  // Ends what still waits, before the test's locals that it waits for go.
  void StopAll() {
    executor_.Do([&] { scope_.Cancel(); });
    executor_.Run();
  }

  void Spawn(Task<void> task) {
    executor_.Do([&] { scope_.Spawn(std::move(task)); });
    executor_.Run();
  }

  InlineExecutor executor_;
  TaskScope scope_{executor_};
  Lines lines_;
};

Task<void> AwaitEvent(Event* event, std::string name, Lines* lines) {
  lines->push_back(absl::StrCat(name, " ", Text(co_await event->Wait())));
}

TEST_F(WaitingTest, AnEventWakesAllInTheOrderTheyCameAndStaysSet) {
  Event event;
  Spawn(AwaitEvent(&event, "a", &lines_));
  Spawn(AwaitEvent(&event, "b", &lines_));
  EXPECT_THAT(lines_, ElementsAre());
  executor_.Do([&] { event.Set(); });
  executor_.Run();
  Spawn(AwaitEvent(&event, "late", &lines_));
  EXPECT_THAT(lines_, ElementsAre("a ok", "b ok", "late ok"));
  event.Reset();
  Spawn(AwaitEvent(&event, "after reset", &lines_));
  EXPECT_EQ(lines_.size(), 3u);
  StopAll();
}

TEST_F(WaitingTest, AWaiterThatIsBothSetAndCancelledEndsOnce) {
  Event event;
  Spawn(AwaitEvent(&event, "a", &lines_));
  executor_.Do([&] {
    event.Set();
    scope_.Cancel();
  });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("a ok"));
}

Task<void> AwaitOneShot(OneShot<std::string>* slot, Lines* lines) {
  absl::StatusOr<std::string> value = co_await slot->Wait();
  lines->push_back(value.ok() ? *value : Text(value.status()));
}

TEST_F(WaitingTest, AOneShotHandsItsValueToItsTask) {
  OneShot<std::string> slot;
  Spawn(AwaitOneShot(&slot, &lines_));
  executor_.Do([&] { slot.Set("value"); });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("value"));
  EXPECT_DEATH(executor_.Do([&] { slot.Set("again"); }), "set twice");
}

Task<void> SendAll(Channel<int>* channel, int first, int last, Lines* lines) {
  for (int value = first; value <= last; ++value) {
    const absl::Status sent = co_await channel->Send(value);
    if (!sent.ok()) lines->push_back(absl::StrCat("send: ", Text(sent)));
    if (!sent.ok()) co_return;
  }
  lines->push_back("all sent");
}

Task<void> ReceiveAll(Channel<int>* channel, Lines* lines) {
  while (true) {
    absl::StatusOr<int> value = co_await channel->Receive();
    lines->push_back(value.ok() ? absl::StrCat(*value) : Text(value.status()));
    if (!value.ok()) co_return;
  }
}

TEST_F(WaitingTest, AChannelHoldsItsSendersBackAtItsBound) {
  Channel<int> channel(2);
  Spawn(SendAll(&channel, 1, 4, &lines_));
  EXPECT_EQ(channel.size(), 2u);
  EXPECT_EQ(channel.TrySend(9).code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(lines_, ElementsAre());
  Spawn(ReceiveAll(&channel, &lines_));
  EXPECT_EQ(channel.size(), 0u);
  executor_.Do([&] { channel.Close(); });
  executor_.Run();
  EXPECT_THAT(lines_, testing::UnorderedElementsAre("1", "2", "3", "4", "all sent",
                                                    "the channel is closed"));
}

TEST_F(WaitingTest, ClosingAChannelRefusesSendersAndDrainsForReceivers) {
  Channel<int> channel(1);
  Spawn(SendAll(&channel, 1, 2, &lines_));
  executor_.Do([&] { channel.Close(); });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("send: the channel is closed"));
  Spawn(ReceiveAll(&channel, &lines_));
  EXPECT_THAT(lines_, ElementsAre("send: the channel is closed", "1", "the channel is closed"));
}

// Whatever is cancelled in whatever order, no value is lost or doubled and nobody who could go on
// is left asleep.
TEST_F(WaitingTest, CancelledSendersAndReceiversPassTheirTurnOn) {
  Channel<int> channel(1);
  TaskScope doomed(executor_);
  executor_.Do([&] {
    EXPECT_TRUE(channel.TrySend(1).ok());
    doomed.Spawn(SendAll(&channel, 2, 2, &lines_));
    scope_.Spawn(SendAll(&channel, 3, 3, &lines_));
  });
  executor_.Run();
  executor_.Do([&] {
    doomed.Cancel(absl::AbortedError("doomed"));
    scope_.Spawn(ReceiveAll(&channel, &lines_));
  });
  executor_.Run();
  EXPECT_THAT(lines_, testing::IsSupersetOf({"send: doomed", "1", "3", "all sent"}));
  StopAll();
}

Task<void> CountTurns(int turns, std::string name, Lines* lines) {
  for (int i = 0; i < turns; ++i) {
    lines->push_back(name);
    (co_await Yield()).IgnoreError();
  }
}

TEST_F(WaitingTest, YieldLetsOthersTakeTheirTurn) {
  executor_.Do([&] {
    scope_.Spawn(CountTurns(2, "a", &lines_));
    scope_.Spawn(CountTurns(2, "b", &lines_));
  });
  executor_.Run();
  EXPECT_THAT(lines_, ElementsAre("a", "b", "a", "b"));
}

}  // namespace
}  // namespace runtime
