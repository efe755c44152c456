#include "tests/runtime/real/certificates.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace real {
namespace {

template <typename Write>
std::string ToPem(Write write) {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(write(bio) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

void AddExtension(X509* certificate, int kind, const char* value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
  CHECK(extension != nullptr);
  CHECK_EQ(X509_add_ext(certificate, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Identity::Identity(const std::string& name, const Identity* authority, int days)
    : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  static std::atomic<long> serials = 1;
  constexpr long kDay = 24 * 3600;
  X509* certificate = certificate_.get();
  CHECK_EQ(X509_set_version(certificate, 2), 1);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serials);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -30 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), days * kDay);
  X509_set_pubkey(certificate, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  const Identity& signer = authority != nullptr ? *authority : *this;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate_.get()));
  AddExtension(certificate, NID_basic_constraints, authority != nullptr ? "CA:FALSE" : "CA:TRUE");
  if (authority != nullptr) AddExtension(certificate, NID_subject_alt_name, "IP:127.0.0.1");
  CHECK(X509_sign(certificate, signer.key_.get(), EVP_sha256()) > 0);
}

Identity Identity::Authority(const std::string& name) { return Identity(name, nullptr, 1); }

Identity Identity::Sign(const std::string& name, int days) const {
  return Identity(name, this, days);
}

std::string Identity::CertificatePem() const {
  return ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

std::string Identity::KeyPem() const {
  return ToPem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string WriteTestFile(const std::string& contents) {
  static std::atomic<int> files = 0;
  const std::string path =
      absl::StrCat(testing::TempDir(), "isochron_test.", getpid(), ".", ++files);
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

TlsOptions TlsFor(const Identity& authority, const Identity& own) {
  TlsOptions options;
  options.ca_file = WriteTestFile(authority.CertificatePem());
  options.certificate_file = WriteTestFile(own.CertificatePem());
  options.key_file = WriteTestFile(own.KeyPem());
  return options;
}

}  // namespace real
