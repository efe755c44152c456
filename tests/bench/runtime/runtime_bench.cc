// What the ground floor costs: calls, messages, tasks, posts and timers of the real world, each
// against what it stands on, measured in the same run.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "runtime/real/real_world.h"
#include "runtime/sleep.h"
#include "runtime/task_scope.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/report.h"
#include "tests/bench/runtime/raw_grpc.h"

namespace bench {
namespace {

using namespace std::chrono_literals;
using real::RealWorld;
using real::RealWorldOptions;
using runtime::Executor;
using runtime::Lane;
using runtime::MessageKind;
using runtime::MonotonicTime;
using runtime::NodeId;
using runtime::Task;
using runtime::TaskScope;

constexpr char kMethod[] = "/bench.Ours/Echo";
constexpr MessageKind kKind(1);
constexpr size_t kPayloadBytes = 100;

std::unique_ptr<RealWorld> MakeWorld(uint32_t node, bool listens, int loops) {
  RealWorldOptions options;
  options.node = NodeId(node);
  options.loops = loops;
  options.log = real::LogDestination::kNowhere;
  if (listens) options.listen_address = "127.0.0.1:0";
  auto world = RealWorld::Create(options);
  CHECK(world.ok()) << world.status();
  return *std::move(world);
}

Task<absl::StatusOr<std::string>> Echo(NodeId, std::string request) { co_return request; }

// Two nodes of ours, and raw gRPC, in one process.
class Nodes {
 public:
  Nodes() : server_(MakeWorld(2, true, 1)), client_(MakeWorld(1, false, 1)) {
    client_->network().SetPeer(NodeId(2), absl::StrCat("127.0.0.1:", server_->port()));
    served_ = server_->network().Serve(kMethod, &server_->loop(0), Echo);
    received_ = server_->network().Receive(kKind, &server_->loop(0),
                                           [this](NodeId, std::string) { Arrived(); });
  }

  void CallRaw(int count, int outstanding) { raw_.Call(count, outstanding, payload_); }
  void CallOurs(int count, int outstanding, Lane lane = Lane::kOwn) {
    client_->RunUntilDone(Calls(client_.get(), count, outstanding, lane, payload_));
  }
  // Sends `count` messages and waits until the last has been handled.
  void SendMessages(int count) {
    {
      const std::lock_guard lock(mutex_);
      arrived_ = 0;
      expected_ = count;
    }
    client_->RunUntilDone(Messages(client_.get(), count, payload_));
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ == expected_; });
  }

 private:
  static Task<void> Chain(RealWorld* client, int count, Lane lane, std::string payload) {
    for (int i = 0; i < count; ++i) {
      const auto reply = co_await client->network().Call(NodeId(2), kMethod, payload, 10s, lane);
      CHECK(reply.ok() && reply->size() == payload.size()) << reply.status();
    }
  }
  static Task<void> Calls(RealWorld* client, int count, int outstanding, Lane lane,
                          std::string payload) {
    TaskScope scope(Executor::Current());
    for (int i = 0; i < outstanding; ++i) {
      scope.Spawn(Chain(client, count / outstanding, lane, payload));
    }
    co_await scope.Join();
  }
  static Task<void> Messages(RealWorld* client, int count, std::string payload) {
    for (int i = 0; i < count;) {
      if (client->network().Send(NodeId(2), kKind, payload).ok()) {
        ++i;
      } else {
        CHECK((co_await client->network().Writable(NodeId(2))).ok());
      }
    }
  }
  void Arrived() {
    const std::lock_guard lock(mutex_);
    if (++arrived_ == expected_) changed_.notify_one();
  }

  const std::string payload_ = std::string(kPayloadBytes, 'x');
  RawGrpc raw_;
  std::unique_ptr<RealWorld> server_;
  std::unique_ptr<RealWorld> client_;
  runtime::Network::Registration served_;
  runtime::Network::Registration received_;

  std::mutex mutex_;
  std::condition_variable changed_;
  int arrived_ = 0;
  int expected_ = 0;
};

void BenchNetwork(Report* report) {
  Nodes nodes;
  constexpr int kOneByOne = 2000;
  report->Compare({"call, one outstanding", "raw gRPC callback", "us",
                   [&] { return Seconds([&] { nodes.CallOurs(kOneByOne, 1); }) / kOneByOne * 1e6; },
                   [&] { return Seconds([&] { nodes.CallRaw(kOneByOne, 1); }) / kOneByOne * 1e6; },
                   Report::Target::kAtMost, 1.25, 31});
  constexpr int kMany = 6400;
  const auto calls_a_second = [&] { return kMany / Seconds([&] { nodes.CallOurs(kMany, 64); }); };
  report->Compare({"calls, 64 outstanding", "raw gRPC callback", "1/s", calls_a_second,
                   [&] { return kMany / Seconds([&] { nodes.CallRaw(kMany, 64); }); },
                   Report::Target::kAtLeast, 0.8, 31});
  constexpr int kManyShared = 10 * kMany;
  report->Compare({"calls, 64 outstanding, shared lane", "the same, own lane", "1/s",
                   [&] {
                     return kManyShared /
                            Seconds([&] { nodes.CallOurs(kManyShared, 64, Lane::kShared); });
                   },
                   calls_a_second, Report::Target::kAtLeast, 3});
  report->Compare({"call, one outstanding, shared lane", "the same, own lane", "us",
                   [&] {
                     return Seconds([&] { nodes.CallOurs(kOneByOne, 1, Lane::kShared); }) /
                            kOneByOne * 1e6;
                   },
                   [&] { return Seconds([&] { nodes.CallOurs(kOneByOne, 1); }) / kOneByOne * 1e6; },
                   Report::Target::kAtMost, 1.4, 31});
  constexpr int kMessages = 100'000;
  report->Compare({"one-way messages", "our calls, 64 outstanding", "1/s",
                   [&] { return kMessages / Seconds([&] { nodes.SendMessages(kMessages); }); },
                   calls_a_second, Report::Target::kAtLeast, 10});
}

Task<int> Ready(int value) { co_return value; }

Task<int> AwaitMany(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await Ready(i);
  co_return sum;
}

Task<void> SpawnMany(int count) {
  TaskScope scope(Executor::Current());
  for (int i = 0; i < count; ++i) {
    scope.Spawn([]() -> Task<void> { co_return; }());
    if (i % 64 == 63) co_await scope.Join();
  }
  co_await scope.Join();
}

// What an await cannot do without: memory for a frame, and a call that the compiler cannot see
// through.
__attribute__((noinline)) int CallThroughPointer(int value) { return value; }
void AllocateAndCall(int count) {
  int (*volatile call)(int) = CallThroughPointer;
  void* (*volatile allocate)(size_t) = std::malloc;
  for (int i = 0; i < count; ++i) {
    void* frame = allocate(160);
    (void)call(i);
    std::free(frame);
  }
}

void BenchTasks(Report* report) {
  const auto world = MakeWorld(1, false, 1);
  constexpr int kCount = 200'000;
  const auto await = [&] {
    return Seconds([&] { (void)world->RunUntilDone(AwaitMany(kCount)); }) / kCount * 1e9;
  };
  report->Measure("await of a task that does not wait", "ns", await, Report::Target::kAtMost, 150);
  report->Compare({"await of a task that does not wait", "malloc, call by pointer, free", "ns",
                   await, [&] { return Seconds([] { AllocateAndCall(kCount); }) / kCount * 1e9; },
                   Report::Target::kAtMost, 5});
  report->Measure(
      "spawn and join of a task", "ns",
      [&] { return Seconds([&] { world->RunUntilDone(SpawnMany(kCount)); }) / kCount * 1e9; },
      Report::Target::kAtMost, 300);
}

// A message to and fro between two loops, by Post.
class PostPingPong {
 public:
  PostPingPong() : world_(MakeWorld(1, false, 2)) {}

  double Microseconds(int round_trips) {
    const double seconds =
        Seconds([&] { world_->RunUntilDone(RoundTrips(world_.get(), round_trips)); });
    return seconds / round_trips / 2 * 1e6;
  }

 private:
  static Task<void> RoundTrips(RealWorld* world, int count) {
    for (int i = 0; i < count; ++i) {
      runtime::Event back;
      Executor* const here = &world->loop(0);
      world->loop(1).Post([here, &back] { here->Post([&back] { back.Set(); }); });
      CHECK((co_await back.Wait()).ok());
    }
  }

  const std::unique_ptr<RealWorld> world_;
};

// The same between two threads, by mutex and condition variable.
double CondvarMicroseconds(int round_trips) {
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  const auto play = [&](int me) {
    for (int i = 0; i < round_trips; ++i) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return turn == me; });
      turn = 1 - me;
      changed.notify_one();
    }
  };
  const double seconds = Seconds([&] {
    std::thread other(play, 1);
    play(0);
    other.join();
  });
  return seconds / round_trips / 2 * 1e6;
}

// The median lateness of sleeps of random length.
Task<double> SleepLateness(RealWorld* world, int count) {
  std::vector<double> late;
  for (int i = 0; i < count; ++i) {
    const MonotonicTime until = Executor::Current().Now() + world->random().Uniform(200us, 2000us);
    (void)co_await runtime::SleepUntil(until);
    late.push_back(static_cast<double>((Executor::Current().Now() - until).count()) * 1e-3);
  }
  std::sort(late.begin(), late.end());
  co_return late[late.size() / 2];
}

void BenchLoops(Report* report) {
  PostPingPong posts;
  report->Compare({"post to another loop", "mutex and condition variable", "us",
                   [&] { return posts.Microseconds(2000); },
                   [] { return CondvarMicroseconds(2000); }, Report::Target::kAtMost, 1.5});
  const auto world = MakeWorld(1, false, 1);
  report->Measure(
      "timer, median lateness", "us",
      [&] { return world->RunUntilDone(SleepLateness(world.get(), 100)); }, Report::Target::kAtMost,
      60, 5);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  return bench::Main(argc, argv, "What the real world costs, against what it stands on",
                     [](bench::Report* report) {
                       bench::BenchNetwork(report);
                       bench::BenchTasks(report);
                       bench::BenchLoops(report);
                       return 0;
                     });
}
