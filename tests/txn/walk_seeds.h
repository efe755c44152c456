// Walks of many seeds, one after the other: of a test's own, or of ISOCHRON_WALK_SEEDS=FROM-TO.
#ifndef TESTS_TXN_WALK_SEEDS_H_
#define TESTS_TXN_WALK_SEEDS_H_

#include <gtest/gtest.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

namespace txn {

inline uint64_t current_seed = 0;

// `walk` gives what went wrong, empty if nothing did. A CHECK ends the process, and then the seed is
// named, too.
inline void WalkSeeds(uint64_t seeds, const std::function<std::string(uint64_t)>& walk) {
  std::signal(SIGABRT,
              [](int) { std::fprintf(stderr, "in the walk of seed %lu\n", current_seed); });
  uint64_t from = 1;
  uint64_t to = seeds;
  if (const char* const chosen = std::getenv("ISOCHRON_WALK_SEEDS")) {
    ASSERT_EQ(std::sscanf(chosen, "%lu-%lu", &from, &to), 2) << chosen;
  }
  for (current_seed = from; current_seed <= to; ++current_seed) {
    const std::string wrong = walk(current_seed);
    ASSERT_EQ(wrong, "") << "seed " << current_seed;
  }
}

}  // namespace txn

#endif  // TESTS_TXN_WALK_SEEDS_H_
