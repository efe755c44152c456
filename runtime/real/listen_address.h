// CheckListenAddress: says in one sentence why a node could not listen somewhere, before gRPC tries
// and only says that it failed.
#ifndef RUNTIME_REAL_LISTEN_ADDRESS_H_
#define RUNTIME_REAL_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"

namespace real {

// OK if `address` ("host:port") can be bound now. INVALID_ARGUMENT (not an address), NOT_FOUND (no
// such host), ALREADY_EXISTS (port in use), PERMISSION_DENIED or UNAVAILABLE (not ours to bind).
absl::Status CheckListenAddress(const std::string& address);

}  // namespace real

#endif  // RUNTIME_REAL_LISTEN_ADDRESS_H_
