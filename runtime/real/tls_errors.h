// ExplainTls: says in plain words what gRPC and OpenSSL say of a failed TLS handshake.
#ifndef RUNTIME_REAL_TLS_ERRORS_H_
#define RUNTIME_REAL_TLS_ERRORS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace real {

// `message`, led by a sentence about TLS if that is what it is about.
std::string ExplainTls(absl::string_view message);

}  // namespace real

#endif  // RUNTIME_REAL_TLS_ERRORS_H_
