// TLS between two real nodes, and what is said of certificates that are wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "runtime/network.h"
#include "runtime/real/real_world.h"
#include "runtime/sleep.h"
#include "tests/runtime/real/certificates.h"
#include "tests/runtime/real/test_world.h"

namespace real {
namespace {

using namespace std::chrono_literals;
using runtime::NodeId;
using runtime::Task;
using testing::AllOf;
using testing::HasSubstr;
using Reply = absl::StatusOr<std::string>;

constexpr char kMethod[] = "/test.Service/Method";

Task<Reply> Echo(NodeId, std::string request) { co_return request; }

// What a node with `client` options hears from one with `server` options.
Reply CallBetween(TlsOptions client, TlsOptions server) {
  RealWorldOptions server_options = ListeningOptions(2);
  server_options.tls = std::move(server);
  RealWorldOptions client_options = TestOptions(1);
  client_options.tls = std::move(client);
  const auto listening = TestWorld(server_options);
  const auto calling = TestWorld(client_options);
  const auto served = listening->network().Serve(kMethod, &listening->loop(0), Echo);
  calling->network().SetPeer(NodeId(2), AddressOf(*listening));
  return calling->RunUntilDone(calling->network().Call(NodeId(2), kMethod, "hello", 100s));
}

class TlsTest : public testing::Test {
 protected:
  // UNAVAILABLE, with a sentence that says TLS and whom it is about.
  static void ExpectTlsError(const Reply& reply) {
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(reply.status().message()),
                AllOf(HasSubstr("node 2 at 127.0.0.1:"), HasSubstr("TLS")));
  }

  const Identity authority_ = Identity::Authority("test authority");
  const Identity other_authority_ = Identity::Authority("another authority");
  const Identity server_ = authority_.Sign("server");
  const Identity client_ = authority_.Sign("client");
};

TEST_F(TlsTest, NodesOfOneAuthorityTrustEachOther) {
  EXPECT_EQ(*CallBetween(TlsFor(authority_, client_), TlsFor(authority_, server_)), "hello");
}

TEST_F(TlsTest, ACallerWithoutACertificateIsServedOnlyIfNoneIsRequired) {
  TlsOptions bare;
  bare.ca_file = WriteTestFile(authority_.CertificatePem());
  TlsOptions lenient = TlsFor(authority_, server_);
  lenient.require_client_certificate = false;
  EXPECT_EQ(*CallBetween(bare, lenient), "hello");
  ExpectTlsError(CallBetween(bare, TlsFor(authority_, server_)));
}

TEST_F(TlsTest, AServerOfAnUnknownAuthorityIsNotTrusted) {
  const Identity impostor = other_authority_.Sign("server");
  const Reply reply = CallBetween(TlsFor(authority_, client_), TlsFor(authority_, impostor));
  ExpectTlsError(reply);
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("certificate"));
}

TEST_F(TlsTest, ACallerOfAnUnknownAuthorityIsNotServed) {
  const Identity impostor = other_authority_.Sign("client");
  ExpectTlsError(CallBetween(TlsFor(authority_, impostor), TlsFor(authority_, server_)));
}

TEST_F(TlsTest, APlaintextCallerIsNotServed) {
  const Reply reply = CallBetween(TlsOptions(), TlsFor(authority_, server_));
  EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(reply.status().message()), HasSubstr("node 2 at 127.0.0.1:"));
}

TEST_F(TlsTest, APlaintextServerIsNotCalled) {
  ExpectTlsError(CallBetween(TlsFor(authority_, client_), TlsOptions()));
}

TEST_F(TlsTest, TheNameInTheCertificateMustBeThePeers) {
  TlsOptions wrong_name = TlsFor(authority_, client_);
  wrong_name.peer_name = "somebody.example";
  ExpectTlsError(CallBetween(wrong_name, TlsFor(authority_, server_)));
}

TEST_F(TlsTest, AWrongCertificateOfAPeerIsLoggedOnceWhenItsStreamFails) {
  RealWorldOptions server_options = ListeningOptions(2);
  server_options.tls = TlsFor(authority_, other_authority_.Sign("server"));
  const auto listening = TestWorld(server_options);
  RealWorldOptions client_options = TestOptions(1);
  client_options.tls = TlsFor(authority_, client_);
  client_options.log = LogDestination::kFile;
  client_options.log_file = WriteTestFile("");
  const auto calling = TestWorld(client_options);
  calling->network().SetPeer(NodeId(2), AddressOf(*listening));
  ASSERT_TRUE(calling->network().Send(NodeId(2), runtime::MessageKind(1), "x").ok());
  std::string log;
  while (log.find("network.disconnected") == std::string::npos) {
    std::ostringstream text;
    text << std::ifstream(client_options.log_file).rdbuf();
    log = text.str();
  }
  EXPECT_THAT(log, AllOf(HasSubstr("warning"), HasSubstr("peer=2"), HasSubstr("TLS")));
}

// Files that are wrong, and the sentence that Create() gives.
struct WrongFiles {
  const char* what;
  void (*spoil)(TlsOptions* options, const Identity& authority);
  const char* sentence;
};

class WrongFilesTest : public testing::TestWithParam<WrongFiles> {};

TEST_P(WrongFilesTest, GiveOneSentence) {
  const Identity authority = Identity::Authority("test authority");
  RealWorldOptions options = ListeningOptions(1);
  options.tls = TlsFor(authority, authority.Sign("node"));
  GetParam().spoil(&options.tls, authority);
  const absl::Status status = RealWorld::Create(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().sentence));
}

INSTANTIATE_TEST_SUITE_P(
    Tls, WrongFilesTest,
    testing::Values(
        WrongFiles{"NoSuchFile",
                   [](TlsOptions* options, const Identity&) { options->ca_file = "/no/such.pem"; },
                   "cannot read the CA file /no/such.pem: No such file or directory"},
        WrongFiles{"AFolder",
                   [](TlsOptions* options, const Identity&) { options->key_file = "/tmp"; },
                   "cannot read the key file /tmp: "},
        WrongFiles{"CaIsNotPem",
                   [](TlsOptions* options, const Identity&) {
                     options->ca_file = WriteTestFile("not a certificate");
                   },
                   "holds no certificate in PEM form"},
        WrongFiles{"CaIsNoAuthority",
                   [](TlsOptions* options, const Identity&) {
                     options->ca_file = options->certificate_file;
                   },
                   "is not one of a certificate authority"},
        WrongFiles{"CertificateIsNotPem",
                   [](TlsOptions* options, const Identity&) {
                     options->certificate_file = options->key_file;
                   },
                   "holds no certificate in PEM form"},
        WrongFiles{"CertificateHasExpired",
                   [](TlsOptions* options, const Identity& authority) {
                     *options = TlsFor(authority, authority.Sign("node", /*days=*/-1));
                   },
                   "has expired"},
        WrongFiles{"KeyOfAnotherCertificate",
                   [](TlsOptions* options, const Identity& authority) {
                     options->key_file = WriteTestFile(authority.KeyPem());
                   },
                   "does not belong to the certificate in"},
        WrongFiles{"KeyIsNotPem",
                   [](TlsOptions* options, const Identity&) {
                     options->key_file = options->certificate_file;
                   },
                   "holds no private key in PEM form"},
        WrongFiles{"NoCa", [](TlsOptions* options, const Identity&) { options->ca_file.clear(); },
                   "TLS needs a CA file"},
        WrongFiles{"NoKey", [](TlsOptions* options, const Identity&) { options->key_file.clear(); },
                   "needs its key file too"},
        WrongFiles{"NoCertificateToListenWith",
                   [](TlsOptions* options, const Identity&) {
                     options->key_file.clear();
                     options->certificate_file.clear();
                   },
                   "needs a certificate file and a key file"}),
    [](const testing::TestParamInfo<WrongFiles>& test) { return test.param.what; });

}  // namespace
}  // namespace real
