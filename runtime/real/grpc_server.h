// GrpcServer: what other nodes reach of this one: its methods and its end of their message streams.
//
// Place:       owned by the network. gRPC's threads bring calls and batches here; they go to the
//              loops of their handlers and are usually run there and then (Loop::Deliver).
// Bound:       calls under way; past `calls_max` a call gets RESOURCE_EXHAUSTED at once.
// Pressure:    a stream's next batch is read when the handlers of the last one have run, so that
//              gRPC's flow control holds a fast sender back.
#ifndef RUNTIME_REAL_GRPC_SERVER_H_
#define RUNTIME_REAL_GRPC_SERVER_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/message_handlers.h"
#include "runtime/real/method_table.h"
#include "runtime/real/network_metrics.h"
#include "runtime/real/stamps.h"

namespace real {

class GrpcServer final : private grpc::CallbackGenericService {
 public:
  // What it serves; outlives it.
  struct Context {
    runtime::NodeId self;
    int calls_max;
    MethodTable* methods;
    MessageHandlers* messages;
    Stamps* stamps;
    NetworkMetrics* metrics;
  };

  // Listens on `address`. The error says what is wrong with it.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Listen(
      const Context& context, const std::string& address,
      std::shared_ptr<grpc::ServerCredentials> credentials);
  // Cancels the calls under way and waits for the last of gRPC's callbacks. After the loops have
  // stopped and dropped what was on them, since until then handlers may run.
  ~GrpcServer() override;

  int port() const { return port_; }

 private:
  class CallReactor;
  class StreamReactor;
  class RefusedReactor;

  explicit GrpcServer(const Context& context) : context_(context) {}

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* call) override;

  const Context context_;
  HandOver hand_over_;
  std::atomic<int> calls_ = 0;  // Under way.
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace real

#endif  // RUNTIME_REAL_GRPC_SERVER_H_
