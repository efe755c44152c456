// Seeded chaos, short: nodes crash while registers are written. What was acknowledged stays, the
// replicas are equal, and in the end all goes on.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/random.h"
#include "runtime/sleep.h"
#include "tests/paxos/cluster.h"

namespace paxos {
namespace {

using runtime::Task;
using runtime::operator""ms;
using runtime::operator""s;

struct Written {
  // By register: the number that was acknowledged last.
  std::map<std::string, int> acknowledged;
  int next = 1;
  bool stop = false;
};

// Each writer has a register of its own, so that what it reads at the end is at least what was
// acknowledged last.
Task<void> Write(Cluster* cluster, int writer, Written* written) {
  const std::string key = absl::StrCat("w", writer);
  while (!written->stop) {
    const int leader = cluster->Leader();
    if (leader == 0) {
      if (!(co_await runtime::SleepFor(20ms)).ok()) co_return;
      continue;
    }
    const int value = written->next++;
    const auto outcome = co_await cluster->Ask(
        leader, Within(2s, ProposeAt(cluster->program(leader),
                                     absl::StrCat(key, "=", value, std::string(200, ' ')))));
    if (outcome && outcome->ok()) written->acknowledged[key] = value;
    if (!(co_await runtime::SleepFor(3ms)).ok()) co_return;
  }
}

void Story(uint64_t seed) {
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  HostOptions options;
  options.log_retained_bytes = 16 << 10;
  options.cut_period = 200ms;
  options.snapshot_chunk_bytes_max = 1 << 10;
  Cluster cluster(3, seed, options);
  cluster.CreateGroup(3);
  Written written;
  for (int writer = 0; writer < 4; ++writer) {
    cluster.universe().Spawn(Write(&cluster, writer, &written));
  }
  runtime::Random random(seed);
  for (int harm = 0; harm < 12; ++harm) {
    cluster.RunFor(random.Uniform(1ms, 800ms));
    simulated::NodeWorld& world = cluster.world(static_cast<int>(random.Uniform(1, 3)));
    if (!world.running()) {
      world.Restart();
    } else if (random.Chance(0.6)) {
      world.Crash();
    } else {
      world.disk().faults().fail_next_sync = true;
    }
  }
  // A disk whose write-ahead log could not be closed takes nothing before a restart.
  for (const int node : {1, 2, 3}) cluster.world(node).Restart();
  cluster.RunFor(1s);
  cluster.Put("healed", "1");
  written.stop = true;
  cluster.RunFor(5s);
  ASSERT_TRUE(cluster.AwaitEqual({1, 2, 3})) << cluster.Describe();
  for (const auto& [key, value] : written.acknowledged) {
    const absl::StatusOr<std::string> read = cluster.Read(cluster.AwaitLeader(), key);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_GE(std::stoi(*read), value) << key;
  }
  ASSERT_TRUE(cluster.universe().violation().ok()) << cluster.universe().violation();
}

TEST(ChaosTest, WhatIsAcknowledgedSurvivesCrashes) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    Story(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace paxos
