// The universe: what happens when, who may run, what a crash and a pause leave behind.
#include "runtime/simulated/universe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/channel.h"
#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/run_on.h"
#include "runtime/sleep.h"
#include "runtime/when.h"

namespace simulated {
namespace {

using ::runtime::SleepFor;
using ::runtime::Task;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Lines = std::vector<std::string>;

Task<void> Say(Lines* lines, Duration after, std::string line) {
  if ((co_await SleepFor(after)).ok()) lines->push_back(std::move(line));
}

TEST(UniverseTest, TimeJumpsToWhatIsNextAndNowhereElse) {
  Lines lines;
  Universe universe(1);
  universe.Spawn(Say(&lines, 3600s, "later"));
  universe.Spawn(Say(&lines, 1ms, "soon"));
  EXPECT_TRUE(universe.RunUntil([&] { return !lines.empty(); }, 7200s));
  EXPECT_EQ(universe.now(), MonotonicTime() + 1ms);
  EXPECT_FALSE(universe.RunUntil([&] { return lines.size() == 2; }, 10s));
  EXPECT_EQ(universe.now(), MonotonicTime() + 1ms + 10s);
  universe.RunFor(3600s);
  EXPECT_THAT(lines, ElementsAre("soon", "later"));
  EXPECT_EQ(universe.true_time() - Timestamp(1'767'225'600'000'000'000),
            universe.now() - MonotonicTime());
}

Task<void> Produce(runtime::Channel<int>* channel, int count) {
  for (int i = 0; i < count; ++i) {
    if (!(co_await channel->Send(i)).ok()) co_return;
  }
  channel->Close();
}

Task<void> Consume(runtime::Channel<int>* channel, int* sum) {
  while (true) {
    const absl::StatusOr<int> value = co_await channel->Receive();
    if (!value.ok()) co_return;
    *sum += *value;
  }
}

TEST(UniverseTest, ThePrimitivesWorkOnASimulatedExecutor) {
  Universe universe(2);
  runtime::Channel<int> channel(4);
  int sum = 0;
  universe.Spawn(Produce(&channel, 100));
  universe.Spawn(Consume(&channel, &sum));
  universe.RunFor(1s);
  EXPECT_EQ(sum, 4950);
}

Task<absl::Status> SleepLong() { co_return co_await SleepFor(3600s); }

Task<void> StoreTimeout(absl::Status* status, Duration* took) {
  const MonotonicTime start = runtime::Executor::Current().Now();
  *status = co_await runtime::WithTimeout(5ms, SleepLong());
  *took = runtime::Executor::Current().Now() - start;
}

TEST(UniverseTest, DeadlinesPassInVirtualTime) {
  Universe universe(3);
  absl::Status status;
  Duration took{};
  universe.Spawn(StoreTimeout(&status, &took));
  universe.RunFor(1s);
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(took, 5ms);
}

Task<int> Square(int value) {
  EXPECT_TRUE((co_await SleepFor(1ms)).ok());
  co_return value* value;
}

Task<void> SquareOn(runtime::Executor* target, int* result) {
  *result = co_await runtime::RunOn(target, Square(7));
}

TEST(UniverseTest, WorkMovesBetweenTheLoopsOfANode) {
  Universe universe(4);
  NodeWorld& node = universe.AddNode(NodeId(1), {.loops = 3});
  int result = 0;
  runtime::Executor* const target = &node.loop(2);
  universe.Spawn(SquareOn(target, &result));
  universe.RunFor(1s);
  EXPECT_EQ(result, 49);
}

// Which of two nodes goes first, many times over.
std::string Interleaving(uint64_t seed) {
  Universe universe(seed);
  std::string order;
  for (uint32_t id = 1; id <= 2; ++id) {
    runtime::Executor& loop = universe.AddNode(NodeId(id), {}).loop(0);
    for (int i = 0; i < 50; ++i) loop.Post([&order, id] { order += std::to_string(id); });
  }
  universe.RunFor(1s);
  return order;
}

TEST(UniverseTest, TheSeedDecidesWhoRuns) {
  EXPECT_EQ(Interleaving(5), Interleaving(5));
  EXPECT_NE(Interleaving(5), Interleaving(6));
  EXPECT_THAT(Interleaving(5), HasSubstr("1212"));
}

// Tells the test when it is made and destroyed.
class Witness final : public NodeProgram {
 public:
  Witness(runtime::World* world, Lines* lines)
      : world_(*world), lines_(*lines), scope_(world->loop(0)) {
    lines_.push_back("start");
    scope_.Spawn(Tick(&world->loop(0), &lines_));
    scope_.Spawn(WaitForever());
  }
  ~Witness() override {
    EXPECT_EQ(&runtime::Executor::Current(), &world_.loop(0));
    EXPECT_TRUE(world_.loop(0).crashing());
    lines_.push_back("end");
  }

 private:
  static Task<void> Tick(runtime::Executor* loop, Lines* lines) {
    while ((co_await SleepFor(10ms)).ok()) {
      EXPECT_EQ(&runtime::Executor::Current(), loop);
      lines->push_back("tick");
    }
  }
  Task<void> WaitForever() {
    // Memory that only the frame owns: a crash must free it.
    auto held = std::make_unique<std::string>(1000, 'x');
    EXPECT_TRUE((co_await never_.Wait()).ok());
    lines_.push_back(*held);
  }

  runtime::World& world_;
  Lines& lines_;
  runtime::Event never_;
  runtime::TaskScope scope_;
};

ProgramFactory MakeWitness(Lines* lines) {
  return [lines](runtime::World& world) { return std::make_unique<Witness>(&world, lines); };
}

TEST(NodeTest, RunsItsProgramFromStartToCrashAndAgain) {
  Lines lines;
  Universe universe(7);
  NodeWorld& node = universe.AddNode(NodeId(1), {.program = MakeWitness(&lines)});
  universe.RunFor(25ms);
  EXPECT_THAT(lines, ElementsAre("start", "tick", "tick"));
  node.Crash();
  EXPECT_FALSE(node.running());
  EXPECT_EQ(node.program(), nullptr);
  universe.RunFor(1s);
  node.Restart();
  universe.RunFor(15ms);
  EXPECT_THAT(lines, ElementsAre("start", "tick", "tick", "end", "start", "tick"));
  EXPECT_EQ(node.incarnation(), 2u);
}

TEST(NodeTest, APauseStopsItWhileTheWorldGoesOn) {
  Lines lines;
  Universe universe(8);
  NodeWorld& node = universe.AddNode(NodeId(1), {.program = MakeWitness(&lines)});
  universe.RunFor(15ms);
  node.Pause();
  bool posted_ran = false;
  node.loop(0).Post([&] { posted_ran = true; });
  universe.RunFor(10s);
  EXPECT_THAT(lines, ElementsAre("start", "tick"));
  EXPECT_FALSE(posted_ran);
  node.Resume();
  universe.RunFor(5ms);
  EXPECT_THAT(lines, ElementsAre("start", "tick", "tick"));
  EXPECT_TRUE(posted_ran);
}

TEST(NodeTest, CrashesFromInsideItsOwnCode) {
  Lines lines;
  Universe universe(9);
  NodeWorld& node = universe.AddNode(NodeId(1), {.program = MakeWitness(&lines)});
  universe.RunFor(5ms);
  bool went_on = false;
  auto owned = std::make_shared<int>(1);
  node.loop(0).Post([&node, &went_on, owned] {
    node.Crash();
    EXPECT_TRUE(node.running());
    went_on = true;
  });
  node.loop(0).Post([owned] { ADD_FAILURE() << "ran after the crash"; });
  universe.RunFor(1s);
  EXPECT_TRUE(went_on);
  EXPECT_FALSE(node.running());
  EXPECT_EQ(owned.use_count(), 1) << "posted work was not destroyed";
  EXPECT_THAT(lines, ElementsAre("start", "end"));
}

TEST(UniverseTest, AViolationStopsTheRunAndTheFirstIsKept) {
  Lines lines;
  Universe universe(10);
  universe.Spawn(Say(&lines, 1s, "one"));
  universe.Spawn(Say(&lines, 3s, "two"));
  int looked = 0;
  universe.AddWatcher([&] {
    ++looked;
    if (!lines.empty()) universe.Fail("TT-CONTAINS: first");
    if (!lines.empty()) universe.Fail("TT-CONTAINS: second");
  });
  universe.RunFor(10s);
  EXPECT_THAT(lines, ElementsAre("one"));
  EXPECT_THAT(std::string(universe.violation().message()), "TT-CONTAINS: first");
  EXPECT_EQ(static_cast<uint64_t>(looked), universe.events());
  EXPECT_FALSE(universe.Step());
}

Task<void> Spin() {
  while ((co_await runtime::Yield()).ok()) {
  }
}

TEST(UniverseTest, ARunThatIsStuckInAMomentFails) {
  Universe universe(11, {.events_at_one_moment_max = 1000});
  universe.Spawn(Spin());
  universe.RunFor(1s);
  EXPECT_THAT(std::string(universe.violation().message()), HasSubstr("SIM-STUCK"));
}

TEST(UniverseTest, TheTraceTellsTheStory) {
  TraceRing trace(3);
  Universe universe(12);
  universe.SetTrace(&trace);
  NodeWorld& node = universe.AddNode(NodeId(2), {});
  universe.RunFor(1500us);
  node.log().Write(runtime::Severity::kWarning, "truetime.state", {{"state", "holdover"}});
  universe.Trace("nemesis rests");
  node.Crash();
  EXPECT_THAT(trace.lines(), ElementsAre("0.001500s n2 log warning truetime.state state=holdover",
                                         "0.001500s world nemesis rests", "0.001500s n2 crash #1"));
}

TEST(ExperimentsTest, ASiteIsEnabledInSomeRunsAndThenOftenFires) {
  int enabled = 0;
  int fired = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Universe universe(seed);
    int here = 0;
    for (int i = 0; i < 100; ++i) here += universe.experiments().Buggify("a.site") ? 1 : 0;
    enabled += here > 0 ? 1 : 0;
    fired += here;
  }
  EXPECT_NEAR(enabled, 100, 30);
  EXPECT_NEAR(fired, enabled * 25, enabled * 5);
}

TEST(ExperimentsTest, RulesAreSwitchedOffByNameAndProbesAreCounted) {
  Universe universe(1, {.without = {"TX-COMMIT-WAIT"}, .buggify = false});
  runtime::Experiments& experiments = universe.AddNode(NodeId(1), {}).experiments();
  EXPECT_TRUE(experiments.Without("TX-COMMIT-WAIT"));
  EXPECT_FALSE(experiments.Without("PX-LEASE"));
  experiments.Probe("path");
  experiments.Probe("path");
  EXPECT_EQ(universe.probes().at("path"), 2u);
}

}  // namespace
}  // namespace simulated
