// ClientCall: one unary call to a peer over gRPC, from the loop that awaits it.
//
//   ClientCall::Awaiter call(stub, peer, method, request, timeout, ...);
//   absl::StatusOr<std::string> reply = co_await call;
//
// Cancelling the waiting task cancels the call on the wire, which the peer's handler hears; the
// wait then still lasts until gRPC says that the call is over, and gives the reason of the
// cancellation. Destroying the waiting frame cancels the call too, and nobody waits for its end.
#ifndef RUNTIME_REAL_CLIENT_CALL_H_
#define RUNTIME_REAL_CLIENT_CALL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/clocks.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/network_metrics.h"
#include "runtime/real/outstanding.h"
#include "runtime/real/remote_waiter.h"
#include "runtime/real/stamps.h"
#include "runtime/real/wire.h"

namespace real {

// What all calls of one node share; outlives them.
struct ClientCallContext {
  runtime::NodeId self;
  runtime::Clocks* clocks;
  Stamps* stamps;
  NetworkMetrics* metrics;
  Outstanding* outstanding;
};

// Who is called.
struct ClientCallTarget {
  runtime::NodeId peer;
  std::string address;
  bool tls;
  std::shared_ptr<grpc::Channel> channel;
};

class ClientCall final {
 public:
  ClientCall(const ClientCallContext* shared, std::shared_ptr<const ClientCallTarget> target,
             std::string method, const std::string& request);
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // Sends the request; `link` is woken when the call is over. `call` is this one.
  void Start(std::shared_ptr<ClientCall> call, runtime::Duration timeout,
             std::shared_ptr<RemoteWaiter::Link> link);
  void TryCancel() { context_.TryCancel(); }

  // After the end, once.
  absl::StatusOr<std::string> TakeResult();

  class Awaiter;

 private:
  // On one of gRPC's threads.
  void Ended(grpc::Status status);

  const ClientCallContext* const shared_;
  const std::shared_ptr<const ClientCallTarget> target_;
  const std::string method_;
  const grpc::ByteBuffer request_;
  runtime::MonotonicTime started_;  // By the raw oscillator.
  grpc::ClientContext context_;
  HandOver hand_over_;
  std::shared_ptr<ClientCall> self_;  // While gRPC works on it.
  std::shared_ptr<RemoteWaiter::Link> link_;

  // Written by Ended(), then read on the waiting loop.
  grpc::ByteBuffer reply_;
  grpc::Status status_;
  bool answered_ = false;  // The peer's network layer spoke, rather than our own gRPC.
};

class ClientCall::Awaiter final : public RemoteWaiter {
 public:
  Awaiter(std::shared_ptr<ClientCall> call, runtime::Duration timeout)
      : RemoteWaiter(&Loop::Current()), call_(std::move(call)), timeout_(timeout) {}
  ~Awaiter() {
    if (waiting()) call_->TryCancel();
  }

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    // What ends the wait before it begins is the scope's reason, in status().
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    call_->Start(call_, timeout_, link());
    return true;
  }
  absl::StatusOr<std::string> await_resume();

 private:
  void Cancelled(const absl::Status& reason) override;

  const std::shared_ptr<ClientCall> call_;
  const runtime::Duration timeout_;
  absl::Status reason_;  // Why the caller was cancelled, if it was.
};

}  // namespace real

#endif  // RUNTIME_REAL_CLIENT_CALL_H_
