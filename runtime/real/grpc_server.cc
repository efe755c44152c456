#include "runtime/real/grpc_server.h"

#include <grpc/support/time.h>
#include <grpcpp/server_builder.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/real/connection_settings.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/listen_address.h"
#include "runtime/real/peer.pb.h"
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
    --server_->calls_;
    server_->hand_over_.Give();
  }

 private:
  void OnReadDone(bool ok) override {
    hand_over_.Take();
    if (!ok) return Finish(grpc::Status(grpc::INVALID_ARGUMENT, "the call has no request"));
    const Sender sender = FindSender(call_->client_metadata()).value_or(Sender());
    server_->context_.stamps->Observe(sender.node, sender.stamp, std::nullopt);
    server_->context_.metrics->calls_served.Add();
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
    const GrpcServer::Context& context = server_->context_;
    call_->AddInitialMetadata(kSenderKey, EncodeSender({context.self, context.stamps->Now()}));
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

// Our end of a peer's message stream. Deletes itself when gRPC is done with it.
class GrpcServer::StreamReactor final : public grpc::ServerGenericBidiReactor {
 public:
  explicit StreamReactor(GrpcServer* server) : server_(server) {
    hand_over_.Give();
    StartSendInitialMetadata();  // Tells the sender that it is connected.
    StartRead(&read_);
  }
  ~StreamReactor() override { server_->hand_over_.Give(); }

 private:
  // When the last handler lets go of it, the next batch is read.
  struct BatchUnderWay {
    explicit BatchUnderWay(StreamReactor* reading) : reactor(reading) {}
    BatchUnderWay(const BatchUnderWay&) = delete;
    BatchUnderWay& operator=(const BatchUnderWay&) = delete;
    ~BatchUnderWay() {
      reactor->hand_over_.Give();
      reactor->StartRead(&reactor->read_);
    }
    StreamReactor* const reactor;
  };

  void OnReadDone(bool ok) override {
    hand_over_.Take();
    if (!ok) return Finish(grpc::Status::OK);
    isochron::runtime::Batch batch;
    if (!batch.ParseFromString(ToString(read_))) {
      return Finish(grpc::Status(grpc::INVALID_ARGUMENT, "what came is not a Batch"));
    }
    const runtime::NodeId sender(batch.sender());
    server_->context_.stamps->Observe(
        sender,
        {runtime::Timestamp(batch.stamp().earliest()), runtime::Timestamp(batch.stamp().latest())},
        std::nullopt);
    std::vector<IncomingMessage> messages;
    messages.reserve(static_cast<size_t>(batch.messages_size()));
    for (isochron::runtime::Message& message : *batch.mutable_messages()) {
      messages.push_back(
          {runtime::MessageKind(message.kind()), std::move(*message.mutable_payload())});
    }
    server_->context_.messages->Dispatch(sender, std::move(messages),
                                         std::make_shared<BatchUnderWay>(this), &Loop::Deliver);
  }

  void OnDone() override {
    hand_over_.Take();
    delete this;
  }

  GrpcServer* const server_;
  HandOver hand_over_;
  grpc::ByteBuffer read_;
};

grpc::ServerGenericBidiReactor* GrpcServer::CreateReactor(
    grpc::GenericCallbackServerContext* call) {
  hand_over_.Take();
  if (call->method() == kMessagesMethod) return new StreamReactor(this);
  std::shared_ptr<ServedMethod> method = context_.methods->Find(call->method());
  absl::Status refusal;
  if (method == nullptr) {
    refusal = absl::UnimplementedError(
        absl::StrCat("node ", context_.self.value(), " does not serve ", call->method()));
  } else if (++calls_ > context_.calls_max) {
    --calls_;
    context_.metrics->calls_refused.Add();
    refusal = absl::ResourceExhaustedError(absl::StrCat(
        "node ", context_.self.value(), " has ", context_.calls_max, " calls under way already"));
  } else {
    return new CallReactor(this, call, std::move(method));
  }
  call->AddInitialMetadata(kSenderKey, EncodeSender({context_.self, context_.stamps->Now()}));
  hand_over_.Give();
  return new RefusedReactor(refusal);
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Listen(
    const Context& context, const std::string& address,
    std::shared_ptr<grpc::ServerCredentials> credentials) {
  RETURN_IF_ERROR(CheckListenAddress(address));
  std::unique_ptr<GrpcServer> server(new GrpcServer(context));
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
