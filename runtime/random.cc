#include "runtime/random.h"

#include <algorithm>
#include <cmath>

#include "runtime/check.h"

namespace runtime {

int64_t Random::Uniform(int64_t low, int64_t high) {
  CHECK_LE(low, high);
  const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  if (span == 0) return static_cast<int64_t>(Next());
  // Multiply and shift (Lemire): no division; the bias is below span / 2^64.
  const auto scaled = static_cast<unsigned __int128>(Next()) * span;
  return static_cast<int64_t>(static_cast<uint64_t>(low) + static_cast<uint64_t>(scaled >> 64));
}

Duration Random::Uniform(Duration low, Duration high) {
  return Duration(Uniform(low.count(), high.count()));
}

double Random::Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

Duration Random::Exponential(Duration mean) {
  const double drawn = -std::log1p(-Fraction());
  return Duration(static_cast<int64_t>(std::min(drawn, 20.0) * static_cast<double>(mean.count())));
}

}  // namespace runtime
