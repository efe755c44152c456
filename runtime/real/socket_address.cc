#include "runtime/real/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "runtime/status_macros.h"

namespace real {

absl::StatusOr<SocketAddress> UnixAddress(const std::string& path) {
  SocketAddress address;
  auto* local = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof(local->sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": too long for a socket's path (",
                                                   sizeof(local->sun_path) - 1,
                                                   " bytes are allowed)"));
  }
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& text) {
  const size_t colon = text.rfind(':');
  HostAndPort parsed;
  if (colon != std::string::npos && colon > 0) {
    parsed.host = text.substr(0, colon);
    const bool bracketed = parsed.host.front() == '[' && parsed.host.back() == ']';
    if (bracketed) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
    const bool plain = bracketed || parsed.host.find(':') == std::string::npos;
    if (plain && !parsed.host.empty() && absl::SimpleAtoi(text.substr(colon + 1), &parsed.port) &&
        parsed.port >= 0 && parsed.port <= 65535) {
      return parsed;
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is not an address: write host:port, as in 127.0.0.1:4000 or [::1]:4000"));
}

absl::StatusOr<SocketAddress> NumericInternetAddress(const std::string& text) {
  ASSIGN_OR_RETURN(const HostAndPort parsed, ParseHostAndPort(text));
  SocketAddress address;
  auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, parsed.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(static_cast<uint16_t>(parsed.port));
    address.length = sizeof(*four);
  } else if (inet_pton(AF_INET6, parsed.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(static_cast<uint16_t>(parsed.port));
    address.length = sizeof(*six);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a numeric address such as 127.0.0.1:323 or [::1]:323"));
  }
  return address;
}

}  // namespace real
