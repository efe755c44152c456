#include "tests/bench/paxos/process.h"

#include <time.h>

#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "runtime/check.h"

namespace bench {
namespace {

// A line of proc(5)'s status, such as "VmRSS:     1234 kB".
double StatusMegabytes(absl::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!absl::StartsWith(line, name)) continue;
    std::istringstream words(line.substr(name.size() + 1));
    double kilobytes = 0;
    words >> kilobytes;
    return kilobytes / 1024;
  }
  CHECK(false) << "the kernel does not tell " << std::string(name);
  return 0;
}

}  // namespace

double CpuSeconds() {
  timespec time{};
  CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), 0);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double ResidentMegabytes() { return StatusMegabytes("VmRSS"); }
double AnonymousMegabytes() { return StatusMegabytes("RssAnon"); }

}  // namespace bench
