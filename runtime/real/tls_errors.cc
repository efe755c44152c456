#include "runtime/real/tls_errors.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace real {

std::string ExplainTls(absl::string_view message) { return std::string(message); }

}  // namespace real
