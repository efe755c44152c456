#include "truetime/format.h"

#include "absl/strings/str_format.h"

namespace truetime {

std::string FormatDuration(runtime::Duration length) {
  struct Unit {
    int64_t nanoseconds;
    const char* name;
  };
  constexpr Unit kUnits[] = {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}};
  const double nanoseconds = static_cast<double>(length.count());
  for (const Unit& unit : kUnits) {
    if (nanoseconds < static_cast<double>(unit.nanoseconds) &&
        nanoseconds > -static_cast<double>(unit.nanoseconds)) {
      continue;
    }
    return absl::StrFormat("%.4g %s", nanoseconds / static_cast<double>(unit.nanoseconds),
                           unit.name);
  }
  return absl::StrFormat("%d ns", length.count());
}

}  // namespace truetime
