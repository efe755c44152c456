// ExplainConnectionError: says in plain words what gRPC and OpenSSL say of a connection that could
// not be made.
#ifndef RUNTIME_REAL_TLS_ERRORS_H_
#define RUNTIME_REAL_TLS_ERRORS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace real {

// `message` as gRPC gave it, led by what it means if it is about TLS. `tls`: whether we use it.
std::string ExplainConnectionError(absl::string_view message, bool tls);

}  // namespace real

#endif  // RUNTIME_REAL_TLS_ERRORS_H_
