#include "runtime/real/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

absl::Status Wrong(const std::string& text) { return absl::FailedPreconditionError(text); }

absl::StatusOr<std::string> ReadFile(const std::string& what, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  if (!file || !(contents << file.rdbuf())) {
    return Wrong(absl::StrCat("cannot read the ", what, " file ", path, ": ",
                              std::strerror(errno != 0 ? errno : ENODATA)));
  }
  return std::move(contents).str();
}

// The first certificate of a PEM file, checked for its dates.
absl::StatusOr<Certificate> ParseCertificate(const std::string& what, const std::string& path,
                                             const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) {
    return Wrong(absl::StrCat("the ", what, " file ", path, " holds no certificate in PEM form"));
  }
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    return Wrong(absl::StrCat("the certificate in the ", what, " file ", path, " has expired"));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0) {
    return Wrong(
        absl::StrCat("the certificate in the ", what, " file ", path, " is not valid yet"));
  }
  return certificate;
}

absl::Status CheckKey(const std::string& path, const std::string& pem, X509* certificate,
                      const std::string& certificate_path) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A key with a passphrase gives an error instead of a question on the terminal.
  const Key key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return Wrong(absl::StrCat("the key file ", path,
                              " holds no private key in PEM form without a passphrase"));
  }
  const bool matches = X509_check_private_key(certificate, key.get()) == 1;
  ERR_clear_error();
  if (matches) return absl::OkStatus();
  return Wrong(absl::StrCat("the key in ", path, " does not belong to the certificate in ",
                            certificate_path));
}

}  // namespace

absl::StatusOr<TlsFiles> ReadTlsFiles(const TlsOptions& options, bool listens) {
  TlsFiles files;
  if (!options.enabled()) return files;
  if (options.ca_file.empty()) {
    return Wrong("TLS needs a CA file, which says whose certificates to trust");
  }
  ASSIGN_OR_RETURN(files.ca, ReadFile("CA", options.ca_file));
  ASSIGN_OR_RETURN(const Certificate ca, ParseCertificate("CA", options.ca_file, files.ca));
  if (X509_check_ca(ca.get()) == 0) {
    return Wrong(absl::StrCat("the certificate in the CA file ", options.ca_file,
                              " is not one of a certificate authority"));
  }
  const bool has_certificate = !options.certificate_file.empty();
  if (has_certificate != !options.key_file.empty()) {
    return Wrong(has_certificate ? "TLS with a certificate file needs its key file too"
                                 : "TLS with a key file needs its certificate file too");
  }
  if (!has_certificate) {
    if (!listens) return files;
    return Wrong("a node that listens with TLS needs a certificate file and a key file");
  }
  ASSIGN_OR_RETURN(files.certificate, ReadFile("certificate", options.certificate_file));
  ASSIGN_OR_RETURN(const Certificate certificate,
                   ParseCertificate("certificate", options.certificate_file, files.certificate));
  ASSIGN_OR_RETURN(files.key, ReadFile("key", options.key_file));
  RETURN_IF_ERROR(
      CheckKey(options.key_file, files.key, certificate.get(), options.certificate_file));
  return files;
}

}  // namespace real
