// isochron truetime wait: measures how long a commit waits, against twice epsilon.
#ifndef CLI_TRUETIME_WAIT_H_
#define CLI_TRUETIME_WAIT_H_

#include <vector>

#include "absl/status/statusor.h"
#include "runtime/real/real_world.h"
#include "runtime/time.h"

namespace cli {

// What the commits of one epsilon waited.
struct WaitFigures {
  runtime::Duration epsilon{};
  int commits = 0;
  runtime::Duration median{};
  runtime::Duration p99{};
  // How far past 2 x epsilon the median is: the machine's part.
  runtime::Duration over{};
};

// Stamps `commits` commits, one after the other, on a clock that is right within `epsilon`, and
// waits each of them out.
absl::StatusOr<WaitFigures> MeasureCommitWait(real::RealWorld* world, runtime::Duration epsilon,
                                              int commits);

}  // namespace cli

#endif  // CLI_TRUETIME_WAIT_H_
