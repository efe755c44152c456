// GrpcLog: leads gRPC's own error lines into a node's log instead of to standard error.
//
// gRPC has one log for the process, so with several nodes in it they go to the youngest. Whoever
// debugs gRPC itself (GRPC_TRACE or GRPC_VERBOSITY is set) gets its lines where gRPC writes them.
#ifndef RUNTIME_REAL_GRPC_LOG_H_
#define RUNTIME_REAL_GRPC_LOG_H_

#include "runtime/log.h"

namespace real {

class GrpcLog {
 public:
  // `log` outlives this.
  explicit GrpcLog(runtime::Log* log);
  ~GrpcLog();
  GrpcLog(const GrpcLog&) = delete;
  GrpcLog& operator=(const GrpcLog&) = delete;

 private:
  runtime::Log* const log_;
};

}  // namespace real

#endif  // RUNTIME_REAL_GRPC_LOG_H_
