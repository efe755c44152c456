// Determinism: one seed, one run, in every build and at every address.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/runtime/simulated/mixed_workload.h"

namespace simulated {
namespace {

class DeterminismTest : public ::testing::TestWithParam<int> {};

// 10 x 30 = 300 seeds, each twice.
TEST_P(DeterminismTest, ASeedGivesTheSameRunTwice) {
  MixedResult all;
  for (uint64_t i = 0; i < 30; ++i) {
    const uint64_t seed = static_cast<uint64_t>(GetParam()) * 30 + i;
    const MixedResult first = RunMixed(seed);
    const MixedResult second = RunMixed(seed);
    ASSERT_EQ(first.hash, second.hash) << "seed " << seed;
    ASSERT_EQ(first.events, second.events) << "seed " << seed;
    ASSERT_TRUE(first.violation.ok()) << "seed " << seed << ": " << first.violation;
    all.writes += first.writes;
    all.background += first.background;
    all.crashes += first.crashes;
    // For comparing builds: the same in release, debug and under the sanitizers.
    if (i == 0) RecordProperty("hash_of_seed_" + std::to_string(seed), std::to_string(first.hash));
  }
  EXPECT_GT(all.writes, 1000u);
  EXPECT_GT(all.background, 30u);
  EXPECT_GT(all.crashes, 50u);
}

INSTANTIATE_TEST_SUITE_P(Chunks, DeterminismTest, ::testing::Range(0, 10));

TEST(DeterminismCanaryTest, DifferentSeedsGiveDifferentRuns) {
  EXPECT_NE(RunMixed(1).hash, RunMixed(2).hash);
}

// Under the address sanitizer this shows that a crash frees everything, wherever tasks stand.
TEST(CrashTest, NodesRecoverFromACrashAfterAnyEvent) {
  for (uint64_t events = 0; events < 600; events += 3) {
    const absl::Status status = RunMixedAndCrashAfter(/*seed=*/events, events);
    ASSERT_TRUE(status.ok()) << "after " << events << " events: " << status;
  }
}

// Objects on the heap whose order in memory is another one in every process, and here in every run,
// as it is with address space randomisation and a busy allocator.
class ScatteredPeers {
 public:
  explicit ScatteredPeers(uint64_t process) {
    std::vector<std::unique_ptr<char>> heap;
    for (int i = 0; i < 64; ++i) heap.push_back(std::make_unique<char>());
    std::mt19937_64 scatter(process);
    std::shuffle(heap.begin(), heap.end(), scatter);
    for (const char name : {'1', '2', '3'}) {
      *heap.back() = name;
      peers_.push_back(std::move(heap.back()));
      heap.pop_back();
    }
  }

  // The planted mistake: an address as an ordered key, and an order that leaves the process.
  std::string InOrderOfAddress() const {
    std::map<const char*, char> by_address;
    for (const auto& peer : peers_) by_address.emplace(peer.get(), *peer);
    std::string order;
    for (const auto& [address, name] : by_address) order += name;
    return order;
  }

 private:
  std::vector<std::unique_ptr<char>> peers_;
};

TEST(DeterminismCanaryTest, AnAddressUsedAsAKeyIsCaught) {
  int caught = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const ScatteredPeers one(2 * seed);
    const ScatteredPeers two(2 * seed + 1);
    const MixedResult first = RunMixed(seed, [&one] { return one.InOrderOfAddress(); });
    const MixedResult second = RunMixed(seed, [&two] { return two.InOrderOfAddress(); });
    const bool differ = one.InOrderOfAddress() != two.InOrderOfAddress();
    EXPECT_EQ(first.hash != second.hash, differ) << "seed " << seed;
    caught += first.hash != second.hash ? 1 : 0;
  }
  EXPECT_GT(caught, 5);
}

}  // namespace
}  // namespace simulated
