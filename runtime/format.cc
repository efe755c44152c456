#include "runtime/format.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace runtime {

std::string FormatDuration(Duration length) {
  const double nanoseconds = static_cast<double>(length.count());
  const double size = std::abs(nanoseconds);
  if (size < 1e3) return absl::StrCat(length.count(), " ns");
  if (size < 1e6) return absl::StrFormat("%.4g us", nanoseconds / 1e3);
  if (size < 1e9) return absl::StrFormat("%.4g ms", nanoseconds / 1e6);
  if (size < 60e9) return absl::StrFormat("%.4g s", nanoseconds / 1e9);
  const int64_t seconds = std::llround(size / 1e9);
  const char* const sign = nanoseconds < 0 ? "-" : "";
  if (seconds < 3600) return absl::StrCat(sign, seconds / 60, " min ", seconds % 60, " s");
  return absl::StrCat(sign, seconds / 3600, " h ", seconds / 60 % 60, " min");
}

}  // namespace runtime
