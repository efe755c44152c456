// Random walks of a group of kernels (walk.h). ISOCHRON_WALK_SEEDS=FROM-TO walks more of
// them; ISOCHRON_WALK_TRACE=MICROSECONDS tells what happens from then on.
#include "tests/paxos/kernel/walk.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace paxos {
namespace {

#ifdef ISOCHRON_SANITIZED
constexpr uint64_t kSeeds = 20;
#else
constexpr uint64_t kSeeds = 200;
#endif

uint64_t current_seed = 0;

// A CHECK of the kernel ends the process: say in which walk.
void SayTheSeed(int) { std::fprintf(stderr, "in the walk of seed %lu\n", current_seed); }

void WalkAll(const WalkOptions& options) {
  std::signal(SIGABRT, SayTheSeed);
  uint64_t from = 1;
  uint64_t to = kSeeds;
  if (const char* const seeds = std::getenv("ISOCHRON_WALK_SEEDS")) {
    ASSERT_EQ(std::sscanf(seeds, "%lu-%lu", &from, &to), 2) << seeds;
  }
  WalkCounts counts;
  for (current_seed = from; current_seed <= to; ++current_seed) {
    Walk walk(current_seed, options);
    if (const char* const when = std::getenv("ISOCHRON_WALK_TRACE")) {
      walk.Trace(&std::cout, Timestamp(std::atoll(when) * 1'000));
    }
    const std::string wrong = walk.Run();
    ASSERT_EQ(wrong, "") << "seed " << current_seed;
    counts.Add(walk.counts());
  }
  std::printf(
      "%lu proposals, %lu chosen, %lu elections won, %lu configurations, %lu removed, %lu "
      "hand-overs, "
      "%lu crashes, %lu snapshots, %lu no-ops, %lu reproposed, %lu out of order, "
      "%lu events\n",
      counts.proposals, counts.chosen, counts.elections_won, counts.configurations, counts.removed,
      counts.hand_overs, counts.crashes, counts.snapshots, counts.no_ops, counts.reproposed,
      counts.order_refused, counts.events);
}

TEST(KernelWalk, KeepsEveryRuleWithClocksWithinTheirBounds) { WalkAll({}); }

TEST(KernelWalk, StaysConsistentWithClocksThatLie) { WalkAll({.clocks_lie = true, .without = {}}); }

}  // namespace
}  // namespace paxos
