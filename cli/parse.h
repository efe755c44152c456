// What people type on the command line, read strictly: a value that is not understood is an error
// with one sentence, never a guess.
#ifndef CLI_PARSE_H_
#define CLI_PARSE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/time.h"

namespace cli {

// A non-negative duration: a decimal number with a unit (ns, us, ms, s, m, h), or a bare 0. At most
// a year.
absl::StatusOr<runtime::Duration> ParseDuration(absl::string_view text);

// Comma-separated durations, at least one.
absl::StatusOr<std::vector<runtime::Duration>> ParseDurations(absl::string_view text);

// Comma-separated names, none empty, at least one.
absl::StatusOr<std::vector<std::string>> ParseNames(absl::string_view text);

// An inclusive range of seeds: "7" or "1-200".
struct SeedRange {
  uint64_t first = 1;
  uint64_t last = 1;  // Invariant: first <= last.
};
absl::StatusOr<SeedRange> ParseSeeds(absl::string_view text);

// UTC with nanoseconds: "2026-03-01 12:00:00.123456789".
std::string FormatTimestamp(runtime::Timestamp time);

// "1,234,567".
std::string FormatCount(uint64_t count);

}  // namespace cli

#endif  // CLI_PARSE_H_
