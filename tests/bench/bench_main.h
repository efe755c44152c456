// The main() of every benchmark: reads the flags, has the figures measured, says how they turned out.
#ifndef TESTS_BENCH_BENCH_MAIN_H_
#define TESTS_BENCH_BENCH_MAIN_H_

#include <functional>
#include <string>

#include "tests/bench/report.h"

namespace bench {

// `measure` fills the report; its own status is 0, or 2 if nothing could be measured. The exit
// status of the process: that, or 1 if a target was missed.
int Main(int argc, char** argv, const std::string& description,
         const std::function<int(Report*)>& measure);

}  // namespace bench

#endif  // TESTS_BENCH_BENCH_MAIN_H_
