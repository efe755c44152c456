// How often a randomised test tries: all of it in the ordinary builds, a tenth under the sanitizers,
// which are slow and look for something else.
#ifndef TESTS_TRIALS_H_
#define TESTS_TRIALS_H_

#include <algorithm>
#include <cstdint>

namespace tests {

constexpr uint64_t Trials(uint64_t all) {
#ifdef ISOCHRON_SANITIZED
  return std::max<uint64_t>(1, all / 10);
#else
  return all;
#endif
}

}  // namespace tests

#endif  // TESTS_TRIALS_H_
