#include "runtime/real/tls_errors.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace real {
namespace {

struct Explanation {
  const char* sign;  // What stands in the message.
  const char* meaning;
};

// The first that fits, with TLS on our side.
constexpr Explanation kWithTls[] = {
    {"certificate verify failed",
     "its TLS certificate is not one that our CA file vouches for, or is out of date"},
    {"not in peer certificate", "its TLS certificate is for another name"},
    {"wrong version number", "it does not speak TLS"},
    {"Ssl handshake failed", "the TLS handshake failed"},
    {"SSL_ERROR", "the TLS connection failed"},
    // With TLS 1.3 a server turns a client away after the handshake, and says no more.
    {"Socket closed", "it hung up after the TLS handshake; does it accept our certificate?"},
    {"reset by peer", "it hung up after the TLS handshake; does it accept our certificate?"},
};

constexpr Explanation kWithoutTls[] = {
    {"Socket closed", "it hung up; does it want TLS?"},
    {"reset by peer", "it hung up; does it want TLS?"},
};

template <size_t count>
std::string Explain(const Explanation (&explanations)[count], absl::string_view message) {
  for (const Explanation& explanation : explanations) {
    if (absl::StrContains(message, explanation.sign)) {
      return absl::StrCat(explanation.meaning, " (", message, ")");
    }
  }
  return std::string(message);
}

}  // namespace

std::string ExplainConnectionError(absl::string_view message, bool tls) {
  // A connection that was there and broke says nothing about TLS.
  if (!absl::StrContains(message, "failed to connect")) return std::string(message);
  return tls ? Explain(kWithTls, message) : Explain(kWithoutTls, message);
}

}  // namespace real
