// GrpcNetwork: the real Network, over gRPC's callback API.
//
// Reading order: client_call (a call goes out), grpc_server (it comes in), served_method (it runs),
// message_sender (messages go out), served_stream (they come in), message_handlers (they are handed
// out); shared_call and stream_calls (a call that travels with the messages goes out, and comes in).
// This class knows the peers and ties these together.
//
// End:         StopCallsOn() for each stopped loop, then the destructor, which breaks all streams
//              and calls and waits for the last of gRPC's callbacks.
#ifndef RUNTIME_REAL_GRPC_NETWORK_H_
#define RUNTIME_REAL_GRPC_NETWORK_H_

#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "runtime/network.h"
#include "runtime/real/byte_budget.h"
#include "runtime/real/call_slots.h"
#include "runtime/real/client_call.h"
#include "runtime/real/grpc_log.h"
#include "runtime/real/grpc_server.h"
#include "runtime/real/message_handlers.h"
#include "runtime/real/message_sender.h"
#include "runtime/real/method_table.h"
#include "runtime/real/tls_options.h"

namespace real {

struct GrpcNetworkOptions {
  runtime::NodeId self;
  std::string listen_address;  // Empty: it does not listen.
  TlsOptions tls;
  int calls_max;
  size_t queue_bytes_max;
  size_t batch_bytes_max;
};

// The parts of the world that the network uses; they outlive it.
struct GrpcNetworkWorld {
  std::vector<Loop*> loops;
  runtime::Clocks* clocks;
  runtime::Log* log;
  runtime::Metrics* metrics;
};

class GrpcNetwork final : public runtime::Network {
 public:
  static absl::StatusOr<std::unique_ptr<GrpcNetwork>> Create(const GrpcNetworkOptions& options,
                                                             const GrpcNetworkWorld& world);
  ~GrpcNetwork() override;

  // 0 if it does not listen.
  int port() const { return server_ != nullptr ? server_->port() : 0; }
  // Destroys the calls that `loop`, which has stopped, was serving.
  void StopCallsOn(Loop* loop) { methods_.DestroyCallsOn(loop); }

  runtime::NodeId self() const override { return self_; }
  void SetPeer(runtime::NodeId peer, std::string address) override;
  runtime::Task<absl::StatusOr<std::string>> Call(runtime::NodeId peer, std::string method,
                                                  std::string request, runtime::Duration timeout,
                                                  runtime::Lane lane) override;
  Registration Serve(std::string method, runtime::Executor* executor, CallHandler handler) override;
  absl::Status Send(runtime::NodeId peer, runtime::MessageKind kind, std::string payload) override;
  runtime::Task<absl::Status> Writable(runtime::NodeId peer) override;
  Registration Receive(runtime::MessageKind kind, runtime::Executor* executor,
                       MessageHandler handler) override;
  void SetClockStamper(runtime::ClockStamper* stamper) override { stamps_.Set(stamper); }

 private:
  struct Peer {
    std::shared_ptr<const ClientCallTarget> target;
    std::shared_ptr<MessageSender> sender;
  };

  GrpcNetwork(const GrpcNetworkOptions& options, const GrpcNetworkWorld& world);

  absl::StatusOr<Peer> FindPeer(runtime::NodeId peer);
  std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) const;
  runtime::Task<absl::StatusOr<std::string>> CallPeer(runtime::NodeId peer, std::string method,
                                                      std::string request,
                                                      runtime::Duration timeout);
  runtime::Task<absl::StatusOr<std::string>> CallShared(runtime::NodeId peer, std::string method,
                                                        std::string request,
                                                        runtime::Duration timeout);
  runtime::Task<absl::StatusOr<std::string>> CallSelf(std::string method, std::string request,
                                                      runtime::Duration timeout);
  absl::Status SendToSelf(runtime::MessageKind kind, std::string payload);
  // The loop that `executor` is. CHECKs that it is one of this world's.
  Loop* ToLoop(runtime::Executor* executor) const;

  const runtime::NodeId self_;
  const std::vector<Loop*> loops_;
  NetworkMetrics metrics_;
  Stamps stamps_;
  Outstanding outstanding_;
  const ClientCallContext calls_;
  const MessageSenderContext senders_;
  CallSlots slots_;
  MethodTable methods_;
  MessageHandlers messages_;
  ByteBudget to_self_;  // Messages to the own node that wait for their loop.
  const GrpcLog grpc_log_;
  const bool tls_;
  const std::string peer_name_;
  std::shared_ptr<grpc::ChannelCredentials> channel_credentials_;
  std::unique_ptr<GrpcServer> server_;

  Mutex mutex_;
  absl::btree_map<runtime::NodeId, Peer> peers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace real

#endif  // RUNTIME_REAL_GRPC_NETWORK_H_
