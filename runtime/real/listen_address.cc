#include "runtime/real/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/str_cat.h"
#include "runtime/real/file_descriptor.h"
#include "runtime/real/socket_address.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

absl::Status TryToBind(const addrinfo& target, const std::string& address) {
  const FileDescriptor probe(socket(target.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!probe.open()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot open a socket for ", address, ": ", std::strerror(errno)));
  }
  // As gRPC does: connections of a process that ended a moment ago do not keep the port.
  const int on = 1;
  setsockopt(probe.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(probe.number(), target.ai_addr, target.ai_addrlen) == 0 &&
      listen(probe.number(), 1) == 0) {
    return absl::OkStatus();
  }
  switch (errno) {
    case EADDRINUSE:
      return absl::AlreadyExistsError(
          absl::StrCat("cannot listen on ", address, ": another process uses that port"));
    case EACCES:
      return absl::PermissionDeniedError(
          absl::StrCat("cannot listen on ", address, ": only root may use that port"));
    case EADDRNOTAVAIL:
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", address, ": this machine does not have that address"));
    default:
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", address, ": ", std::strerror(errno)));
  }
}

}  // namespace

absl::Status CheckListenAddress(const std::string& address) {
  ASSIGN_OR_RETURN(const HostAndPort parsed, ParseHostAndPort(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(parsed.host.c_str(), absl::StrCat(parsed.port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::NotFoundError(absl::StrCat("cannot listen on ", address, ": no host \"",
                                            parsed.host, "\" is known (", gai_strerror(error),
                                            ")"));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &freeaddrinfo);
  return TryToBind(*found, address);
}

}  // namespace real
