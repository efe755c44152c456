// Histories out of a seed: what clients would see of a database that runs their transactions one at
// a time, each at one moment between its beginning and its end.
#ifndef TESTS_WORKLOAD_CHECKER_GENERATED_HISTORY_H_
#define TESTS_WORKLOAD_CHECKER_GENERATED_HISTORY_H_

#include <cstdint>
#include <vector>

#include "runtime/random.h"
#include "workload/checker/history.h"
#include "workload/checker/history_builder.h"

namespace checker {

struct GenerateOptions {
  Datatype datatype = Datatype::kLists;
  size_t transactions = 60;
  int64_t keys = 4;
  int64_t operations_max = 4;
  int64_t window_max = 80;  // How long before and after its moment one begins and ends; 10 per one.
  double fails = 0.05;
  double unknown = 0.05;
};

struct GeneratedTransaction {
  std::vector<EventOperation> asked;
  std::vector<EventOperation> answered;
  Outcome outcome = Outcome::kOk;
  bool writes = false;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t timestamp = 0;  // Where it is in the serial order.
};

// Strictly serializable, in the serial order.
std::vector<GeneratedTransaction> Generate(const GenerateOptions& options, runtime::Random* random);

// With timestamps on all that are ok. Transactions get processes of which none has two at once.
History MakeHistory(const std::vector<GeneratedTransaction>& transactions);

}  // namespace checker

#endif  // TESTS_WORKLOAD_CHECKER_GENERATED_HISTORY_H_
