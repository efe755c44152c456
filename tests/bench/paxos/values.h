// The keys and values of all loads here: random keys out of ten thousand, values that do not
// compress.
#ifndef TESTS_BENCH_PAXOS_VALUES_H_
#define TESTS_BENCH_PAXOS_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "runtime/random.h"

namespace bench {

class Values {
 public:
  // `bytes_max`: of a value.
  Values(uint64_t seed, size_t bytes_max) : random_(seed) {
    pool_.reserve(bytes_max + kPool);
    while (pool_.size() < bytes_max + kPool) {
      pool_.push_back(static_cast<char>(random_.Next()));
    }
  }

  static constexpr uint64_t kKeys = 10'000;

  std::string Key() { return absl::StrFormat("key-%08d", random_.Next() % kKeys); }
  // Good until the next call.
  absl::string_view Value(size_t bytes) {
    return absl::string_view(pool_).substr(random_.Next() % kPool, bytes);
  }

 private:
  static constexpr size_t kPool = 64 << 10;

  runtime::Random random_;
  std::string pool_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_VALUES_H_
