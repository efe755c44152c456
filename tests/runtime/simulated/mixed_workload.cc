#include "tests/runtime/simulated/mixed_workload.h"

#include <leveldb/db.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/blocking.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "runtime/run_on.h"
#include "runtime/simulated/universe.h"
#include "runtime/sleep.h"

namespace simulated {
namespace {

using runtime::MessageKind;
using runtime::SleepFor;
using runtime::Task;
using Result = absl::StatusOr<std::string>;

constexpr MessageKind kGreeting(1);
constexpr int kNodes = 3;

// Only grows, unless a write that was acknowledged got lost.
struct Shared {
  std::function<std::string()> order;
  uint64_t writes = 0;
  uint64_t crashes = 0;
  uint64_t acknowledged[kNodes + 1] = {};
};

class MixedProgram final : public NodeProgram {
 public:
  MixedProgram(runtime::World* world, Universe* universe, Shared* shared)
      : world_(*world), universe_(*universe), shared_(*shared), scope_(world->loop(0)) {
    registrations_.push_back(world_.network().Serve(
        "/mixed/Store", &world_.loop(0),
        [this](NodeId, std::string request) { return Store(std::move(request)); }));
    registrations_.push_back(world_.network().Receive(
        kGreeting, &world_.loop(1), [this](NodeId sender, std::string payload) {
          universe_.Note(sender.value() + payload.size());
        }));
    scope_.Spawn(Live());
  }

 private:
  Task<void> Live() {
    leveldb::Options options;
    options.env = &world_.files();
    options.create_if_missing = true;
    options.write_buffer_size = 64 << 10;
    // Owned by the frame as soon as it is open: a crash may come before this task goes on.
    std::unique_ptr<leveldb::DB> store;
    const leveldb::Status status =
        co_await runtime::RunBlocking(&world_.blocking(), [options, &store] {
          leveldb::DB* opened = nullptr;
          const leveldb::Status opening = leveldb::DB::Open(options, "db", &opened);
          store.reset(opened);
          return opening;
        });
    store_ = std::move(store);
    if (!status.ok()) co_return;
    CheckRecovered();
    for (int i = 0; i < 2; ++i) scope_.Spawn(WriteForEver());
    scope_.Spawn(TalkForEver());
  }

  // Every acknowledged write was synced, so the counter cannot have gone back.
  void CheckRecovered() {
    std::string value;
    if (store_->Get({}, "count", &value).ok()) count_ = std::stoull(value);
    const uint64_t acknowledged = shared_.acknowledged[world_.node().value()];
    if (count_ < acknowledged) {
      universe_.Fail(absl::StrCat("LOST: node ", world_.node().value(), " has ", count_, " of ",
                                  acknowledged));
    }
  }

  Task<void> WriteForEver() {
    while ((co_await SleepFor(world_.random().Exponential(5ms))).ok()) {
      (co_await Store(std::string(static_cast<size_t>(world_.random().Uniform(0, 5000)), 'x')))
          .IgnoreError();
    }
  }

  Task<Result> Store(std::string value) {
    if (store_ == nullptr) co_return absl::UnavailableError("starting");
    const uint64_t number = ++count_;
    leveldb::DB* const store = store_.get();
    const leveldb::Status status =
        co_await runtime::RunBlocking(&world_.blocking(), [store, number, value] {
          leveldb::WriteOptions options;
          options.sync = true;
          const leveldb::Status put =
              store->Put(leveldb::WriteOptions(), absl::StrCat("k", number % 500), value);
          return put.ok() ? store->Put(options, "count", absl::StrCat(number)) : put;
        });
    if (!status.ok()) co_return absl::DataLossError(status.ToString());
    ++shared_.writes;
    uint64_t& acknowledged = shared_.acknowledged[world_.node().value()];
    acknowledged = std::max(acknowledged, number);
    co_return absl::StrCat(number);
  }

  Task<void> TalkForEver() {
    while ((co_await SleepFor(world_.random().Exponential(20ms))).ok()) {
      const std::string order = shared_.order ? shared_.order() : "123";
      for (const char peer : order) {
        const NodeId node(static_cast<uint32_t>(peer - '0'));
        world_.network().Send(node, kGreeting, absl::StrCat("hello ", order)).IgnoreError();
      }
      const NodeId peer(static_cast<uint32_t>(world_.random().Uniform(1, kNodes)));
      const Result result = co_await world_.network().Call(peer, "/mixed/Store", "called", 100ms);
      universe_.Note(static_cast<uint64_t>(result.status().code()));
      universe_.Note(co_await runtime::RunOn(&world_.loop(1), Draw(&world_)));
    }
  }
  static Task<uint64_t> Draw(runtime::World* world) {
    (co_await SleepFor(1ms)).IgnoreError();
    co_return world->random().Next() +
        static_cast<uint64_t>(world->clocks().Realtime().nanoseconds());
  }

  runtime::World& world_;
  Universe& universe_;
  Shared& shared_;
  std::unique_ptr<leveldb::DB> store_;
  uint64_t count_ = 0;
  runtime::TaskScope scope_;
  std::vector<runtime::Network::Registration> registrations_;
};

Task<void> Nemesis(Universe* universe, Shared* shared) {
  runtime::Random& random = universe->random();
  while ((co_await SleepFor(random.Exponential(100ms))).ok()) {
    const NodeId id(static_cast<uint32_t>(random.Uniform(1, kNodes)));
    const NodeId other(static_cast<uint32_t>(random.Uniform(1, kNodes)));
    NodeWorld& node = universe->node(id);
    switch (random.Uniform(0, 9)) {
      case 0:
      case 1:
      case 2:
        node.Crash();
        ++shared->crashes;
        break;
      case 3:
        node.Pause();
        break;
      case 4:
        universe->Partition({{id}, {other == id ? NodeId(id.value() % kNodes + 1) : other}});
        break;
      case 5:
        universe->link(id, other).loss = 0.3;
        universe->link(id, other).duplication = 0.3;
        universe->link(id, other).reordering = 0.3;
        break;
      case 6:
        if (id != other) universe->BreakConnection(id, other);
        break;
      case 7:
        node.disk().Stall(50ms);
        node.time_daemon().StepRealtime(random.Uniform(-1s, 1s));
        break;
      default:
        universe->Heal();
        for (uint32_t i = 1; i <= kNodes; ++i) {
          universe->node(NodeId(i)).Resume();
          if (!universe->node(NodeId(i)).running()) universe->node(NodeId(i)).Restart();
        }
        break;
    }
  }
}

void AddNodes(Universe* universe, Shared* shared) {
  for (uint32_t id = 1; id <= kNodes; ++id) {
    NodeOptions options;
    options.loops = 2;
    options.program = [universe, shared](runtime::World& world) {
      return std::make_unique<MixedProgram>(&world, universe, shared);
    };
    universe->AddNode(NodeId(id), std::move(options));
  }
}

}  // namespace

MixedResult RunMixed(uint64_t seed, std::function<std::string()> order) {
  Shared shared;
  shared.order = std::move(order);
  Universe universe(seed);
  AddNodes(&universe, &shared);
  universe.Spawn(Nemesis(&universe, &shared));
  universe.RunFor(1s);
  MixedResult result;
  result.hash = universe.hash();
  result.events = universe.events();
  result.writes = shared.writes;
  result.crashes = shared.crashes;
  for (const auto& [id, node] : universe.nodes()) {
    result.background += node->disk().counts().background_runs;
  }
  result.violation = universe.violation();
  return result;
}

absl::Status RunMixedAndCrashAfter(uint64_t seed, uint64_t events) {
  Shared shared;
  Universe universe(seed);
  AddNodes(&universe, &shared);
  for (uint64_t i = 0; i < events; ++i) universe.Step();
  for (const auto& [id, node] : universe.nodes()) node->Restart();
  const uint64_t before = shared.writes;
  const bool recovered =
      universe.RunUntil([&shared, before] { return shared.writes >= before + 2 * kNodes; }, 10s);
  if (universe.violation().ok() && !recovered) universe.Fail("STUCK: the nodes write no more");
  return universe.violation();
}

}  // namespace simulated
