// Random walks of a lock table beside its model (lock_walk.h). ISOCHRON_WALK_SEEDS=FROM-TO walks
// more of them.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/trials.h"
#include "tests/txn/kernel/lock_walk.h"

namespace txn {
namespace {

constexpr uint64_t kSeeds = tests::Trials(400);
constexpr int kSteps = 1000;

uint64_t current_seed = 0;

// A CHECK of the kernel ends the process: say in which walk.
void SayTheSeed(int) { std::fprintf(stderr, "in the walk of seed %lu\n", current_seed); }

TEST(LockWalk, DoesWhatTheModelDoes) {
  std::signal(SIGABRT, SayTheSeed);
  uint64_t from = 1;
  uint64_t to = kSeeds;
  if (const char* const seeds = std::getenv("ISOCHRON_WALK_SEEDS")) {
    ASSERT_EQ(std::sscanf(seeds, "%lu-%lu", &from, &to), 2) << seeds;
  }
  LockCounts counts;
  for (current_seed = from; current_seed <= to; ++current_seed) {
    LockWalk walk(current_seed);
    const std::string wrong = walk.Run(kSteps);
    ASSERT_EQ(wrong, "") << "seed " << current_seed;
    counts.granted += walk.counts().granted;
    counts.waited += walk.counts().waited;
    counts.wounded += walk.counts().wounded;
    counts.cancelled += walk.counts().cancelled;
  }
  std::printf("%lu granted, %lu waited, %lu wounded, %lu cancelled\n", counts.granted,
              counts.waited, counts.wounded, counts.cancelled);
}

}  // namespace
}  // namespace txn
