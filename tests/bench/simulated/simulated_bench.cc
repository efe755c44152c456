// How many events a second one core simulates: `items_per_second` is events per second.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "runtime/network.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"

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

// Steps `universe`, and counts them.
void RunEvents(Universe* universe, benchmark::State* state) {
  for (auto _ : *state) universe->Step();
  state->SetItemsProcessed(static_cast<int64_t>(state->iterations()));
}

UniverseOptions Endless() {
  UniverseOptions options;
  options.events_at_one_moment_max = ~uint64_t{0};
  return options;
}

// A turn of the loop, on ten executors: the trivial event.
void BM_Turn(benchmark::State& state) {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 10; ++id) {
    universe.AddNode(NodeId(id), {}).loop(0).Post([] {});
  }
  for (int i = 0; i < 10; ++i) universe.Spawn(YieldForEver());
  RunEvents(&universe, &state);
}
BENCHMARK(BM_Turn);

// A timer that fires and the turn that it makes, alternately.
void BM_Sleep(benchmark::State& state) {
  Universe universe(kSeed, Endless());
  for (int i = 0; i < 10; ++i) universe.Spawn(SleepForEver(Duration(1000 + i)));
  RunEvents(&universe, &state);
}
BENCHMARK(BM_Sleep);

struct Repost {
  runtime::Executor* executor;
  void operator()() const { executor->Post(Repost{executor}); }
};

// Work posted from one loop to itself, on three nodes.
void BM_Post(benchmark::State& state) {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 3; ++id) {
    runtime::Executor& loop = universe.AddNode(NodeId(id), {}).loop(0);
    loop.Post(Repost{&loop});
  }
  RunEvents(&universe, &state);
}
BENCHMARK(BM_Post);

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

void BM_Message(benchmark::State& state) {
  Universe universe(kSeed, Endless());
  for (uint32_t id = 1; id <= 2; ++id) {
    NodeOptions options;
    options.program = [](runtime::World& world) { return std::make_unique<Chatter>(&world); };
    universe.AddNode(NodeId(id), std::move(options));
  }
  RunEvents(&universe, &state);
}
BENCHMARK(BM_Message);

}  // namespace
}  // namespace simulated
