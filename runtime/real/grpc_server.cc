#include "runtime/real/grpc_server.h"

#include <grpc/support/time.h>
#include <grpcpp/server_builder.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/real/connection_settings.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/listen_address.h"
#include "runtime/real/served_stream.h"
#include "runtime/real/wire.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

runtime::MonotonicTime ToMonotonic(gpr_timespec deadline) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) {
    return runtime::MonotonicTime::Max();
  }
  const gpr_timespec time = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  return runtime::MonotonicTime(0) + std::chrono::seconds(time.tv_sec) +
         std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

// A call that is answered with an error at once.
class GrpcServer::RefusedReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedReactor(const absl::Status& error) {
    hand_over_.Give();
    Finish(ToGrpc(error));
  }
  void OnDone() override {
    hand_over_.Take();
    delete this;
  }

 private:
  HandOver hand_over_;
};

// A call on its way to its handler and back. Deletes itself when gRPC is done with it.
class GrpcServer::CallReactor final : public grpc::ServerGenericBidiReactor {
 public:
  CallReactor(GrpcServer* server, grpc::GenericCallbackServerContext* call,
              std::shared_ptr<ServedMethod> method)
      : server_(server), call_(call), method_(std::move(method)) {
    hand_over_.Give();
    StartRead(&request_);
  }
  ~CallReactor() override {
    server_->serving_.slots->Give();
    server_->hand_over_.Give();
  }

 private:
  void OnReadDone(bool ok) override {
    hand_over_.Take();
    if (!ok) return Finish(grpc::Status(grpc::INVALID_ARGUMENT, "the call has no request"));
    const Sender sender = FindSender(call_->client_metadata()).value_or(Sender());
    server_->serving_.stamps->Observe(sender.node, sender.stamp, std::nullopt);
    server_->serving_.metrics->calls_served.Add();
    auto served = std::make_shared<ServedCall>(
        method_, sender.node, ToString(request_), ToMonotonic(call_->raw_deadline()),
        [this](absl::StatusOr<std::string> result) { Reply(std::move(result)); });
    bool cancelled = false;
    {
      MutexLock lock(&mutex_);
      served_ = served;
      cancelled = cancelled_;
    }
    // What follows may answer, and with that end this reactor.
    const std::weak_ptr<ServedCall> weak = served;
    Loop* const loop = method_->loop();
    ServedCall::Begin(std::move(served));
    if (cancelled) ServedCall::CancelLater(loop, weak, CallerGone());
  }

  void OnCancel() override {
    hand_over_.Take();
    std::weak_ptr<ServedCall> served;
    {
      MutexLock lock(&mutex_);
      cancelled_ = true;
      served = served_;
    }
    ServedCall::CancelLater(method_->loop(), std::move(served), CallerGone());
  }

  void OnDone() override {
    hand_over_.Take();
    delete this;
  }

  void Reply(absl::StatusOr<std::string> result) {
    const Serving& serving = server_->serving_;
    call_->AddInitialMetadata(kSenderKey, EncodeSender({serving.self, serving.stamps->Now()}));
    if (result.ok()) reply_ = ToByteBuffer(*result);
    hand_over_.Give();
    if (!result.ok()) return Finish(ToGrpc(result.status()));
    StartWriteAndFinish(&reply_, grpc::WriteOptions(), grpc::Status::OK);
  }

  static absl::Status CallerGone() {
    return absl::CancelledError("the caller cancelled the call or is gone");
  }

  GrpcServer* const server_;
  grpc::GenericCallbackServerContext* const call_;
  const std::shared_ptr<ServedMethod> method_;
  HandOver hand_over_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer reply_;
  Mutex mutex_;
  std::weak_ptr<ServedCall> served_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

grpc::ServerGenericBidiReactor* GrpcServer::CreateReactor(
    grpc::GenericCallbackServerContext* call) {
  hand_over_.Take();
  if (call->method() == kMessagesMethod) return new ServedStream(&serving_, &hand_over_);
  std::shared_ptr<ServedMethod> method = serving_.methods->Find(call->method());
  const absl::Status refusal =
      method != nullptr ? serving_.slots->Take() : NotServed(serving_.self, call->method());
  if (refusal.ok()) return new CallReactor(this, call, std::move(method));
  call->AddInitialMetadata(kSenderKey, EncodeSender({serving_.self, serving_.stamps->Now()}));
  hand_over_.Give();
  return new RefusedReactor(refusal);
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Listen(
    const Serving& serving, const std::string& address,
    std::shared_ptr<grpc::ServerCredentials> credentials) {
  RETURN_IF_ERROR(CheckListenAddress(address));
  std::unique_ptr<GrpcServer> server(new GrpcServer(serving));
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, std::move(credentials), &server->port_);
  builder.RegisterCallbackGenericService(server.get());
  builder.SetMaxReceiveMessageSize(kWireBytesMax);
  builder.SetMaxSendMessageSize(kWireBytesMax);
  // Two nodes on one port are a mistake, not a way to share load.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  for (const ConnectionSetting& one : kConnectionSettings) {
    builder.AddChannelArgument(one.name, one.value);
  }
  server->hand_over_.Give();
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || server->port_ == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
  return server;
}

GrpcServer::~GrpcServer() {
  if (server_ == nullptr) return;
  server_->Shutdown(gpr_now(GPR_CLOCK_MONOTONIC));
  server_->Wait();
  hand_over_.Take();
}

}  // namespace real
