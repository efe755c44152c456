#include "workload/checker/form.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace checker {

std::string DescribePosition(absl::string_view text, size_t offset) {
  const absl::string_view before = text.substr(0, std::min(offset, text.size()));
  const size_t lines = static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  const size_t line_begin =
      before.rfind('\n') == absl::string_view::npos ? 0 : before.rfind('\n') + 1;
  return absl::StrCat("line ", lines + 1, ", column ", before.size() - line_begin + 1);
}

absl::Status ErrorAt(absl::string_view text, size_t offset, absl::string_view sentence) {
  return absl::InvalidArgumentError(absl::StrCat(DescribePosition(text, offset), ": ", sentence));
}

}  // namespace checker
