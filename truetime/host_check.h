// HostCheck: what in this host's chrony set-up deviates from what a bound on the clock needs
// (TT-BOUND). docs/truetime.md has the recommended chrony.conf, with the reasons.
//
// Each warning is one sentence that says what is so and what to do. They are hints for people:
// nothing depends on them, and a configuration that cannot be read is itself a warning.
#ifndef TRUETIME_HOST_CHECK_H_
#define TRUETIME_HOST_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "truetime/source.h"

namespace leveldb {
class Env;
}

namespace truetime {

inline constexpr char kChronyConf[] = "/etc/chrony/chrony.conf";

// Reads chronyd's configuration at `path` with all that it includes, and checks it. Blocks for the
// files.
std::vector<std::string> CheckHost(leveldb::Env* files, const std::string& path = kChronyConf);

// The same for a configuration without inclusions.
std::vector<std::string> CheckChronyConf(absl::string_view text);

// What a reading from chronyd itself gives away.
std::vector<std::string> CheckReading(const ReadingDetail& detail);

}  // namespace truetime

#endif  // TRUETIME_HOST_CHECK_H_
