// Nodes that have nothing to say to each other compare their clocks all the same.
#include "truetime/clock_exchange.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "runtime/simulated/universe.h"
#include "simulation/simulated_source.h"
#include "truetime/truetime.h"

namespace simulation {
namespace {

using runtime::NodeId;
using truetime::ClockState;
using namespace std::chrono_literals;

const std::vector<NodeId> kNodes = {NodeId(1), NodeId(2), NodeId(3)};

class Idler final : public simulated::NodeProgram {
 public:
  explicit Idler(simulated::NodeWorld* world)
      : world_(*world),
        truetime_(world, std::make_unique<SimulatedSource>(world), {}),
        exchange_(world, {}) {
    world_.network().SetClockStamper(&truetime_);
    truetime_.SetClusterNodes(kNodes.size());
    truetime_.Start();
    exchange_.SetPeers(kNodes);
    exchange_.Start();
  }
  ~Idler() override { world_.network().SetClockStamper(nullptr); }

  truetime::TrueTime& truetime() { return truetime_; }

 private:
  simulated::NodeWorld& world_;
  truetime::TrueTime truetime_;
  truetime::ClockExchange exchange_;
};

class ClockExchangeTest : public testing::Test {
 protected:
  ClockExchangeTest() : universe_(1) {
    simulated::NodeOptions options;
    options.program = [](runtime::World& world) {
      return std::make_unique<Idler>(static_cast<simulated::NodeWorld*>(&world));
    };
    for (const NodeId node : kNodes) universe_.AddNode(node, options);
    universe_.RunFor(10s);
  }

  truetime::TrueTime& TrueTimeOf(NodeId node) {
    return static_cast<Idler*>(universe_.node(node).program())->truetime();
  }

  simulated::Universe universe_;
};

TEST_F(ClockExchangeTest, ALiarIsFoundAmongNodesThatDoNothing) {
  TrueTimeOf(NodeId(3)).Inject({.offset = 5s});
  universe_.RunFor(20s);
  EXPECT_EQ(TrueTimeOf(NodeId(3)).state(), ClockState::kDisrupted);
  EXPECT_EQ(TrueTimeOf(NodeId(1)).state(), ClockState::kSynchronised);
}

// A follower of every group calls nobody (paxos-reconfig 934).
TEST_F(ClockExchangeTest, WhoTellsTheTruthAgainIsTrustedAgain) {
  TrueTimeOf(NodeId(3)).Inject({.offset = 5s});
  universe_.RunFor(20s);
  TrueTimeOf(NodeId(3)).Inject({});
  universe_.RunFor(60s);
  EXPECT_EQ(TrueTimeOf(NodeId(3)).state(), ClockState::kSynchronised);
}

}  // namespace
}  // namespace simulation
