// TlsOptions: how a node proves who it is and checks who its peers are.
#ifndef RUNTIME_REAL_TLS_OPTIONS_H_
#define RUNTIME_REAL_TLS_OPTIONS_H_

#include <string>

namespace real {

// Files in PEM form. All three empty: no TLS. Otherwise `ca_file` is needed, and a node that
// listens needs a certificate and its key.
struct TlsOptions {
  std::string ca_file;           // Who signs the peers' certificates.
  std::string certificate_file;  // Ours, followed by the intermediate ones, if any.
  std::string key_file;          // The key of the first certificate in certificate_file.

  // Whether a caller must show a certificate that ca_file signed (mutual TLS).
  bool require_client_certificate = true;

  // The name that peers' certificates carry; empty: the host part of their address.
  std::string peer_name;

  bool enabled() const {
    return !ca_file.empty() || !certificate_file.empty() || !key_file.empty();
  }
};

}  // namespace real

#endif  // RUNTIME_REAL_TLS_OPTIONS_H_
