// Certificates for tests, made on the spot: a CA, and what it signs.
#ifndef TESTS_RUNTIME_REAL_CERTIFICATES_H_
#define TESTS_RUNTIME_REAL_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "runtime/real/tls_options.h"

namespace real {

// A certificate and its key, in memory.
class Identity {
 public:
  // One that signs others, and itself.
  static Identity Authority(const std::string& name);
  // A node's, signed by this authority, for 127.0.0.1. `days` < 0: it expired so long ago.
  Identity Sign(const std::string& name, int days = 1) const;

  std::string CertificatePem() const;
  std::string KeyPem() const;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  Identity(const std::string& name, const Identity* authority, int days);

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

// Writes `contents` to a new file of the test's temporary folder and gives its path.
std::string WriteTestFile(const std::string& contents);

// Options for a node with this identity that trusts `authority`, in files of their own.
TlsOptions TlsFor(const Identity& authority, const Identity& own);

}  // namespace real

#endif  // TESTS_RUNTIME_REAL_CERTIFICATES_H_
