// ReadTlsFiles: the certificates and the key of a node, read and checked before gRPC sees them,
// which would fail later, at each connection, and say little.
#ifndef RUNTIME_REAL_TLS_FILES_H_
#define RUNTIME_REAL_TLS_FILES_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/real/tls_options.h"

namespace real {

// The files' contents. Without TLS all are empty; without an own certificate those two are.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
};

// One sentence that names the file, if one cannot be read, is not PEM, has expired, if the key does
// not belong to the certificate, or if a file that is needed is missing. `listens`: a certificate
// of our own is needed.
absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsOptions& options, bool listens);

}  // namespace real

#endif  // RUNTIME_REAL_TLS_FILES_H_
