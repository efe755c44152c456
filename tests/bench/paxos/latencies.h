// Latencies: how long each of many took, and the median of it.
#ifndef TESTS_BENCH_PAXOS_LATENCIES_H_
#define TESTS_BENCH_PAXOS_LATENCIES_H_

#include <algorithm>
#include <vector>

#include "runtime/check.h"

namespace bench {

class Latencies {
 public:
  void Add(double microseconds) { microseconds_.push_back(microseconds); }
  double Median() {
    CHECK(!microseconds_.empty());
    const auto middle = microseconds_.begin() + static_cast<long>(microseconds_.size() / 2);
    std::nth_element(microseconds_.begin(), middle, microseconds_.end());
    return *middle;
  }

 private:
  std::vector<double> microseconds_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_LATENCIES_H_
