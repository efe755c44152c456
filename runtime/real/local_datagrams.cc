#include "runtime/real/local_datagrams.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/deadline.h"
#include "runtime/real/file_descriptor.h"
#include "runtime/real/loop.h"
#include "runtime/real/socket_address.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

// No UDP or Unix datagram that we ask for is longer.
constexpr size_t kAnswerBytesMax = 65536;

// A bound Unix socket's path, removed at the end.
class BoundPath {
 public:
  explicit BoundPath(std::string path) : path_(std::move(path)) {}
  BoundPath(BoundPath&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  BoundPath& operator=(BoundPath&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~BoundPath() {
    if (!path_.empty()) unlink(path_.c_str());
  }

 private:
  std::string path_;
};

struct Connection {
  FileDescriptor socket;
  std::optional<BoundPath> bound;
};

absl::Status SocketError(int error, const std::string& address) {
  const std::string text = absl::StrCat(address, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(text);
    case EPROTOTYPE:
    case ENAMETOOLONG:
    case EMSGSIZE:
      return absl::InvalidArgumentError(text);
    default:
      return absl::UnavailableError(text);
  }
}

// A path for our end that no other exchange of any process uses.
std::string OwnPath(const std::string& folder) {
  static std::atomic<uint64_t> exchanges = 0;
  return absl::StrCat(folder, "/isochron.", getpid(), ".", ++exchanges, ".sock");
}

// Binds `socket` where the server at `server_path` can answer to.
absl::StatusOr<BoundPath> BindForAnswers(const FileDescriptor& socket,
                                         const std::string& server_path) {
  const char* temporary = std::getenv("TMPDIR");
  const std::string own_folder = server_path.substr(0, server_path.rfind('/'));
  int error = 0;
  for (const std::string& folder :
       {own_folder, std::string(temporary != nullptr ? temporary : "/tmp")}) {
    const std::string path = OwnPath(folder);
    const absl::StatusOr<SocketAddress> address = UnixAddress(path);
    if (!address.ok()) continue;
    if (bind(socket.number(), address->pointer(), address->length) == 0) {
      BoundPath bound(path);
      if (chmod(path.c_str(), 0666) == 0) return bound;
    }
    if (error == 0) error = errno;
  }
  return SocketError(error, absl::StrCat("a socket for the answer of ", server_path));
}

absl::StatusOr<Connection> Connect(const std::string& address) {
  const bool is_path = !address.empty() && address.front() == '/';
  ASSIGN_OR_RETURN(const SocketAddress server,
                   is_path ? UnixAddress(address) : NumericInternetAddress(address));
  Connection connection;
  connection.socket = FileDescriptor(
      socket(server.pointer()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int fd = connection.socket.number();
  if (fd < 0) return SocketError(errno, address);
  // Connected first: a server that is not there is the better error. Being connected also means
  // that only its answers are heard.
  if (connect(fd, server.pointer(), server.length) != 0) return SocketError(errno, address);
  if (is_path) {
    ASSIGN_OR_RETURN(connection.bound, BindForAnswers(connection.socket, address));
  }
  return connection;
}

runtime::Task<absl::StatusOr<std::string>> Receive(int fd, std::string address) {
  std::string answer(kAnswerBytesMax, '\0');
  while (true) {
    CO_RETURN_IF_ERROR(co_await Loop::Current().Readable(fd));
    const ssize_t got = recv(fd, answer.data(), answer.size(), 0);
    if (got >= 0) {
      answer.resize(static_cast<size_t>(got));
      co_return answer;
    }
    // Readable, and yet nothing there: a datagram with a wrong checksum was dropped.
    if (errno != EAGAIN && errno != EINTR) co_return SocketError(errno, address);
  }
}

}  // namespace

runtime::Task<absl::StatusOr<std::string>> LocalDatagrams::Exchange(std::string address,
                                                                    std::string request,
                                                                    runtime::Duration timeout) {
  CO_ASSIGN_OR_RETURN(const Connection connection, Connect(address));
  const int fd = connection.socket.number();
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    co_return SocketError(errno, address);
  }
  absl::StatusOr<std::string> answer = co_await runtime::WithTimeout(timeout, Receive(fd, address));
  if (absl::IsDeadlineExceeded(answer.status())) {
    co_return absl::DeadlineExceededError(absl::StrCat(
        address, ": no answer within ",
        std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count(), " ms"));
  }
  co_return answer;
}

}  // namespace real
