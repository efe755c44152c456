// LocalDatagrams: one question and its answer over a Unix or UDP socket, on the caller's loop.
//
// A Unix server answers to the path that the client's socket is bound to, so it must be able to
// reach and write it: the client's path is made in the server's own folder, as chronyc does, or
// else in the folder for temporary files, open to all for the moment of the exchange. It is gone
// when the exchange ends, however it ends.
#ifndef RUNTIME_REAL_LOCAL_DATAGRAMS_H_
#define RUNTIME_REAL_LOCAL_DATAGRAMS_H_

#include "runtime/datagrams.h"

namespace real {

class LocalDatagrams final : public runtime::Datagrams {
 public:
  runtime::Task<absl::StatusOr<std::string>> Exchange(std::string address, std::string request,
                                                      runtime::Duration timeout) override;
};

}  // namespace real

#endif  // RUNTIME_REAL_LOCAL_DATAGRAMS_H_
