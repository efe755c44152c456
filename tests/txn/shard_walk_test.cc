// Random walks of a shard's replicas beside its model (shard_walk.h). ISOCHRON_WALK_SEEDS=FROM-TO
// walks more of them.
#include "tests/txn/shard_walk.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "tests/trials.h"
#include "tests/txn/walk_seeds.h"

namespace txn {
namespace {

constexpr uint64_t kSeeds = tests::Trials(200);
constexpr int kSteps = 400;

TEST(ShardWalk, ReplicasDoWhatTheModelDoes) {
  int committed = 0;
  int aborted = 0;
  int prepared = 0;
  int forgotten = 0;
  WalkSeeds(kSeeds, [&](uint64_t seed) {
    ShardWalk walk(seed);
    const std::string wrong = walk.Run(kSteps);
    committed += walk.committed;
    aborted += walk.aborted;
    prepared += walk.prepared;
    forgotten += walk.forgotten;
    return wrong;
  });
  std::printf("%d committed, %d aborted, %d prepared, %d forgotten\n", committed, aborted, prepared,
              forgotten);
}

}  // namespace
}  // namespace txn
