#include "cli/truetime_wait.h"

#include <algorithm>
#include <memory>

#include "runtime/clocks.h"
#include "runtime/deadline.h"
#include "runtime/status_macros.h"
#include "runtime/task.h"
#include "truetime/fixed_source.h"
#include "truetime/truetime.h"

namespace cli {
namespace {

using runtime::Duration;
using runtime::operator""s;

// Longer than any single wait that can be asked for here, so that a clock that never gets there is
// an error.
constexpr Duration kMargin = 10s;

runtime::Task<absl::StatusOr<std::vector<Duration>>> Commit(real::RealWorld* world,
                                                            truetime::TrueTime* truetime,
                                                            Duration epsilon, int commits) {
  CO_RETURN_IF_ERROR(co_await runtime::WithTimeout(kMargin, truetime->WaitUntilSafe()));
  std::vector<Duration> waits;
  for (int i = 0; i < commits; ++i) {
    const runtime::MonotonicTime stamped = world->clocks().Raw();
    const runtime::Timestamp commit = truetime->Now().latest;
    CO_RETURN_IF_ERROR(
        co_await runtime::WithTimeout(2 * epsilon + kMargin, truetime->WaitUntilAfter(commit)));
    waits.push_back(world->clocks().Raw() - stamped);
  }
  co_return waits;
}

runtime::Task<absl::StatusOr<std::vector<Duration>>> Measure(real::RealWorld* world,
                                                             Duration epsilon, int commits) {
  truetime::TrueTimeOptions options;
  options.clock.epsilon_max = std::max(options.clock.epsilon_max, 2 * epsilon);
  truetime::TrueTime truetime(world, std::make_unique<truetime::FixedSource>(world, epsilon),
                              options);
  truetime.Start();
  absl::StatusOr<std::vector<Duration>> waits = co_await Commit(world, &truetime, epsilon, commits);
  co_await truetime.Close();
  co_return waits;
}

}  // namespace

absl::StatusOr<WaitFigures> MeasureCommitWait(real::RealWorld* world, Duration epsilon,
                                              int commits) {
  ASSIGN_OR_RETURN(std::vector<Duration> waits,
                   world->RunUntilDone(Measure(world, epsilon, commits)));
  std::sort(waits.begin(), waits.end());
  const auto rank = [&](double fraction) {
    return waits[static_cast<size_t>(fraction * static_cast<double>(waits.size() - 1))];
  };
  return WaitFigures{.epsilon = epsilon,
                     .commits = commits,
                     .median = rank(0.5),
                     .p99 = rank(0.99),
                     .over = rank(0.5) - 2 * epsilon};
}

}  // namespace cli
