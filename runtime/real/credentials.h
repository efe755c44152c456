// gRPC credentials from a node's TLS options and files; plaintext ones without TLS.
#ifndef RUNTIME_REAL_CREDENTIALS_H_
#define RUNTIME_REAL_CREDENTIALS_H_

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "runtime/real/tls_files.h"
#include "runtime/real/tls_options.h"

namespace real {

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const TlsOptions& options,
                                                                 const TlsFiles& files);
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const TlsOptions& options,
                                                               const TlsFiles& files);

}  // namespace real

#endif  // RUNTIME_REAL_CREDENTIALS_H_
