#include "tests/bench/runtime/raw_grpc.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace bench {
namespace {

constexpr char kMethod[] = "/bench.Raw/Echo";

grpc::ByteBuffer ToByteBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

// What the generated code of a service with one unary callback method comes to.
class RawGrpc::EchoService final : public grpc::Service {
 public:
  EchoService() {
    AddMethod(new grpc::internal::RpcServiceMethod(kMethod, grpc::internal::RpcMethod::NORMAL_RPC,
                                                   nullptr));
    MarkMethodRawCallback(
        0, new grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>(
               [](grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                  grpc::ByteBuffer* reply) {
                 *reply = *request;
                 grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
                 reactor->Finish(grpc::Status::OK);
                 return reactor;
               }));
  }
};

struct RawGrpc::Run {
  grpc::GenericStub* stub;
  grpc::ByteBuffer request;
  std::atomic<int> to_start;
  std::atomic<int> to_end;
  std::promise<void> ended;
};

struct RawGrpc::OneCall {
  // Starts the next call of `run`, if any is left.
  static void Start(Run* run) {
    if (run->to_start.fetch_sub(1) <= 0) return;
    auto* call = new OneCall;
    call->context.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(10, GPR_TIMESPAN)));
    run->stub->UnaryCall(&call->context, kMethod, grpc::StubOptions(), &run->request, &call->reply,
                         [run, call](const grpc::Status& status) {
                           CHECK(status.ok()) << status.error_message();
                           CHECK_EQ(call->reply.Length(), run->request.Length());
                           delete call;
                           Start(run);
                           if (run->to_end.fetch_sub(1) == 1) run->ended.set_value();
                         });
  }

  grpc::ClientContext context;
  grpc::ByteBuffer reply;
};

RawGrpc::RawGrpc() : service_(std::make_unique<EchoService>()) {
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  CHECK(server_ != nullptr);
  channel_ =
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials());
  stub_ = std::make_unique<grpc::GenericStub>(channel_);
}

RawGrpc::~RawGrpc() { server_->Shutdown(); }

void RawGrpc::Call(int count, int outstanding, const std::string& payload) {
  Run run{stub_.get(), ToByteBuffer(payload), {count}, {count}, {}};
  for (int i = 0; i < outstanding; ++i) OneCall::Start(&run);
  run.ended.get_future().wait();
}

}  // namespace bench
