#include "cli/parse.h"

#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "runtime/status_macros.h"

namespace cli {
namespace {

using runtime::Duration;

struct Unit {
  const char* name;
  double nanoseconds;
};
// "ms" and the like before "s" and "m", which they end or begin with.
constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                           {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
constexpr double kYear = 3.6e12 * 24 * 365;

bool IsDecimal(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == absl::string_view::npos;
}

}  // namespace

absl::StatusOr<Duration> ParseDuration(absl::string_view text) {
  if (text == "0") return Duration::zero();
  if (IsDecimal(text)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' has no unit: write ", text, "ms, ", text, "us or ", text, "s"));
  }
  if (absl::StartsWith(text, "-")) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is negative: a duration is not"));
  }
  for (const Unit& unit : kUnits) {
    absl::string_view digits = text;
    double number = 0;
    if (!absl::ConsumeSuffix(&digits, unit.name) || !IsDecimal(digits)) continue;
    if (!absl::SimpleAtod(digits, &number)) break;
    if (number * unit.nanoseconds > kYear) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' is more than a year"));
    }
    return Duration(std::llround(number * unit.nanoseconds));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not a duration: write for example 0, 500us, 2.5ms or 10s"));
}

absl::StatusOr<std::vector<Duration>> ParseDurations(absl::string_view text) {
  std::vector<Duration> durations;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    ASSIGN_OR_RETURN(const Duration duration, ParseDuration(part));
    durations.push_back(duration);
  }
  return durations;
}

absl::StatusOr<std::vector<std::string>> ParseNames(absl::string_view text) {
  std::vector<std::string> names = absl::StrSplit(text, ',');
  for (const std::string& name : names) {
    if (name.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' has an empty name in its list"));
    }
  }
  return names;
}

absl::StatusOr<SeedRange> ParseSeeds(absl::string_view text) {
  const std::vector<absl::string_view> ends = absl::StrSplit(text, '-');
  SeedRange seeds;
  const bool numbers = ends.size() <= 2 && absl::SimpleAtoi(ends.front(), &seeds.first) &&
                       absl::SimpleAtoi(ends.back(), &seeds.last);
  if (!numbers) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", text, "' is not a range of seeds: write for example 7 or 1-200"));
  }
  if (seeds.first > seeds.last) {
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' is an empty range of seeds"));
  }
  return seeds;
}

std::string FormatTimestamp(runtime::Timestamp time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%E9S", absl::FromUnixNanos(time.nanoseconds()),
                          absl::UTCTimeZone());
}

std::string FormatCount(uint64_t count) {
  std::string digits = absl::StrCat(count);
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace cli
