// Random: a stream of pseudo-random numbers from a 64-bit seed; the same seed gives the same stream
// in every build. Not for secrets. One thread.
#ifndef RUNTIME_RANDOM_H_
#define RUNTIME_RANDOM_H_

#include <cstdint>
#include <random>

#include "runtime/time.h"

namespace runtime {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }

  // Uniform in [low, high]; CHECKs low <= high.
  int64_t Uniform(int64_t low, int64_t high);
  Duration Uniform(Duration low, Duration high);

  // Uniform in [0, 1).
  double Fraction();

  // True with the given probability.
  bool Chance(double probability) { return Fraction() < probability; }

  // Exponentially distributed with the given mean; at most 20 times the mean.
  Duration Exponential(Duration mean);

  // A new stream that shares nothing with this one, so that drawing more in one place does not
  // shift what is drawn in another.
  Random Fork() { return Random(Next()); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace runtime

#endif  // RUNTIME_RANDOM_H_
