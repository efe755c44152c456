// SocketAddress: an address as the kernel takes it, made from text.
#ifndef RUNTIME_REAL_SOCKET_ADDRESS_H_
#define RUNTIME_REAL_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"

namespace real {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* pointer() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// A Unix socket's path. INVALID_ARGUMENT if it is too long for one.
absl::StatusOr<SocketAddress> UnixAddress(const std::string& path);

// "127.0.0.1:323" or "[::1]:323". INVALID_ARGUMENT says what it should look like.
absl::StatusOr<SocketAddress> NumericInternetAddress(const std::string& text);

// The two halves of "host:port"; the host may be a name, and an IPv6 one stands in brackets.
struct HostAndPort {
  std::string host;
  int port = 0;
};
absl::StatusOr<HostAndPort> ParseHostAndPort(const std::string& text);

}  // namespace real

#endif  // RUNTIME_REAL_SOCKET_ADDRESS_H_
