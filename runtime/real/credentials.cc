#include "runtime/real/credentials.h"

namespace real {

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const TlsOptions& options,
                                                                 const TlsFiles& files) {
  if (!options.enabled()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = files.ca;
  ssl.pem_cert_chain = files.certificate;
  ssl.pem_private_key = files.key;
  return grpc::SslCredentials(ssl);
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const TlsOptions& options,
                                                               const TlsFiles& files) {
  if (!options.enabled()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions ssl(
      options.require_client_certificate
          ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  ssl.pem_root_certs = files.ca;
  ssl.pem_key_cert_pairs.push_back({files.key, files.certificate});
  return grpc::SslServerCredentials(ssl);
}

}  // namespace real
