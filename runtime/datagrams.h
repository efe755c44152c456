// Datagrams: ask a local daemon one question, get one answer. chronyd's command protocol needs no
// more.
#ifndef RUNTIME_DATAGRAMS_H_
#define RUNTIME_DATAGRAMS_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/time.h"

namespace runtime {

class Datagrams {
 public:
  virtual ~Datagrams() = default;

  // Sends `request` to `address` and gives the first answer that comes from there within `timeout`.
  // `address` is an absolute path of a Unix datagram socket, or "127.0.0.1:323" / "[::1]:323".
  // NOT_FOUND or PERMISSION_DENIED (the socket), UNAVAILABLE (nobody listens), DEADLINE_EXCEEDED,
  // INVALID_ARGUMENT (the address); each says which address.
  virtual Task<absl::StatusOr<std::string>> Exchange(std::string address, std::string request,
                                                     Duration timeout) = 0;
};

}  // namespace runtime

#endif  // RUNTIME_DATAGRAMS_H_
