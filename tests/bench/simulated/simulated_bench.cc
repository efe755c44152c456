// How many events a second one core simulates.
#include <memory>
#include <queue>
#include <string>
#include <utility>

#include "runtime/network.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/report.h"

namespace simulated {
namespace {

using runtime::SleepFor;
using runtime::Task;

constexpr uint64_t kSeed = 1;

Task<void> YieldForEver() {
  while ((co_await runtime::Yield()).ok()) {
  }
}

Task<void> SleepForEver(Duration length) {
  while ((co_await SleepFor(length)).ok()) {
  }
}

constexpr int kEvents = 2'000'000;

double EventsPerSecond(Universe* universe) {
  return kEvents / bench::Seconds([universe] {
           for (int i = 0; i < kEvents; ++i) universe->Step();
         });
}

UniverseOptions Endless() {
  UniverseOptions options;
  options.events_at_one_moment_max = ~uint64_t{0};
  return options;
}

// A turn of the loop, on ten executors: the trivial event.
double Turns() {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 10; ++id) {
    universe.AddNode(NodeId(id), {}).loop(0).Post([] {});
  }
  for (int i = 0; i < 10; ++i) universe.Spawn(YieldForEver());
  return EventsPerSecond(&universe);
}

// A timer that fires and the turn that it makes, alternately.
double Sleeps() {
  Universe universe(kSeed, Endless());
  for (int i = 0; i < 10; ++i) universe.Spawn(SleepForEver(Duration(1000 + i)));
  return EventsPerSecond(&universe);
}

struct Repost {
  runtime::Executor* executor;
  void operator()() const { executor->Post(Repost{executor}); }
};

// Work posted from one loop to itself, on three nodes.
double Posts() {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 3; ++id) {
    runtime::Executor& loop = universe.AddNode(NodeId(id), {}).loop(0);
    loop.Post(Repost{&loop});
  }
  return EventsPerSecond(&universe);
}

// Two nodes that send each other one-way messages.
class Chatter final : public NodeProgram {
 public:
  explicit Chatter(runtime::World* world) {
    runtime::Network& network = world->network();
    const NodeId peer(3 - world->node().value());
    receiving_ = network.Receive(
        runtime::MessageKind(1), &world->loop(0), [&network, peer](NodeId, std::string payload) {
          network.Send(peer, runtime::MessageKind(1), std::move(payload)).IgnoreError();
        });
    for (int i = 0; i < 10; ++i) {
      network.Send(peer, runtime::MessageKind(1), std::string(100, 'x')).IgnoreError();
    }
  }

 private:
  runtime::Network::Registration receiving_;
};

double Messages() {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 2; ++id) {
    NodeOptions options;
    options.program = [](runtime::World& world) { return std::make_unique<Chatter>(&world); };
    universe.AddNode(NodeId(id), std::move(options));
  }
  return EventsPerSecond(&universe);
}

// What the simplest simulator would do: take the next number from a heap and put another one in.
double HeapSteps() {
  std::priority_queue<uint64_t> heap;
  for (uint64_t i = 0; i < 10; ++i) heap.push(i * i);
  return kEvents / bench::Seconds([&heap] {
           for (int i = 0; i < kEvents; ++i) {
             const uint64_t next = heap.top();
             heap.pop();
             heap.push(next * 0x9e3779b97f4a7c15);
           }
         });
}

int Run(bench::Report* report) {
  using Target = bench::Report::Target;
  constexpr double kAimed = 1'000'000;
  report->Measure("simulated turns of a loop", "1/s", Turns, Target::kAtLeast, kAimed);
  report->Measure("simulated timers and their turns", "1/s", Sleeps, Target::kAtLeast, kAimed);
  report->Measure("simulated posts", "1/s", Posts, Target::kAtLeast, kAimed);
  report->Measure("simulated events of one-way messages", "1/s", Messages, Target::kAtLeast,
                  kAimed);
  report->Compare({"simulated timers and their turns", "pops and pushes of a heap", "1/s", Sleeps,
                   HeapSteps, Target::kAtLeast, 0.1});
  return 0;
}

}  // namespace
}  // namespace simulated

int main(int argc, char** argv) {
  return bench::Main(argc, argv, "What a simulated event costs", simulated::Run);
}
