#include "simulation/time_node.h"

#include <string>
#include <utility>

#include "runtime/random.h"
#include "runtime/sleep.h"
#include "runtime/when.h"
#include "simulation/simulated_source.h"

namespace simulation {
namespace {

using runtime::Duration;
using runtime::NodeId;
using runtime::operator""s;

constexpr char kGreet[] = "/isochron.simulation.TimeNode/Greet";

runtime::Task<absl::StatusOr<std::string>> Greet(NodeId, std::string request) { co_return request; }

}  // namespace

TimeNode::TimeNode(simulated::NodeWorld* world, TimeWatchers* watchers, TimeNodeOptions options)
    : world_(*world),
      watchers_(*watchers),
      options_(std::move(options)),
      truetime_(world, std::make_unique<SimulatedSource>(world), options_.truetime),
      scope_(world->loop(0)) {
  greeting_ = world_.network().Serve(kGreet, &world_.loop(0), Greet);
  world_.network().SetClockStamper(&truetime_);
  truetime_.SetClusterNodes(options_.peers.size());
  truetime_.Start();
  scope_.Spawn(Commits());
  scope_.Spawn(Rounds());
}

TimeNode::~TimeNode() { world_.network().SetClockStamper(nullptr); }

runtime::Task<void> TimeNode::Commits() {
  while (true) {
    if (!(co_await runtime::SleepFor(world_.random().Exponential(options_.commit_every))).ok()) {
      co_return;
    }
    const runtime::Timestamp commit = truetime_.Now().latest;
    if (!truetime_.CheckSafe().ok()) continue;
    watchers_.CommitStamped(world_.node(), commit);
    truetime_.Stamped(commit);
    ++stamped_;
    if (!(co_await truetime_.WaitUntilAfter(commit)).ok()) co_return;
    watchers_.CommitWaitEnded(world_.node(), commit);
  }
}

runtime::Task<void> TimeNode::Rounds() {
  while (true) {
    if (!(co_await runtime::SleepFor(world_.random().Exponential(options_.round_every))).ok()) {
      co_return;
    }
    std::vector<runtime::Task<absl::StatusOr<std::string>>> calls;
    for (const NodeId peer : options_.peers) {
      if (peer == world_.node()) continue;
      calls.push_back(world_.network().Call(peer, kGreet, "", 1s));
    }
    size_t answered = 1;  // The node itself.
    for (const auto& reply : co_await runtime::WhenAll(std::move(calls))) answered += reply.ok();
    if (2 * answered > options_.peers.size()) ++rounds_;
  }
}

}  // namespace simulation
