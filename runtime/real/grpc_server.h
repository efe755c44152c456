// GrpcServer: what other nodes reach of this one: its methods and its end of their streams.
//
// Place:       owned by the network. gRPC's threads bring calls and batches here; they go to the
//              loops of their handlers and are usually run there and then (Loop::Deliver).
// Bound:       calls under way, on both lanes; past it a call gets RESOURCE_EXHAUSTED at once.
#ifndef RUNTIME_REAL_GRPC_SERVER_H_
#define RUNTIME_REAL_GRPC_SERVER_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/serving.h"

namespace real {

class GrpcServer final : private grpc::CallbackGenericService {
 public:
  // Listens on `address`. The error says what is wrong with it.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Listen(
      const Serving& serving, const std::string& address,
      std::shared_ptr<grpc::ServerCredentials> credentials);
  // Cancels the calls under way and waits for the last of gRPC's callbacks. After the loops have
  // stopped and dropped what was on them, since until then handlers may run.
  ~GrpcServer() override;

  int port() const { return port_; }

 private:
  class CallReactor;
  class RefusedReactor;

  explicit GrpcServer(const Serving& serving) : serving_(serving) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* call) override;

  const Serving serving_;
  HandOver hand_over_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace real

#endif  // RUNTIME_REAL_GRPC_SERVER_H_
