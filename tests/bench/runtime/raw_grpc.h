// RawGrpc: a client and a server that use gRPC's callback API and nothing else, as generated code
// for a unary method would: what our network layer is measured against.
#ifndef TESTS_BENCH_RUNTIME_RAW_GRPC_H_
#define TESTS_BENCH_RUNTIME_RAW_GRPC_H_

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <string>

namespace bench {

class RawGrpc {
 public:
  RawGrpc();
  ~RawGrpc();
  RawGrpc(const RawGrpc&) = delete;
  RawGrpc& operator=(const RawGrpc&) = delete;

  // Makes `count` calls with `payload`, `outstanding` at a time, each next one from the callback of
  // the one before; returns when all are answered.
  void Call(int count, int outstanding, const std::string& payload);

 private:
  class EchoService;
  struct Run;
  struct OneCall;

  std::unique_ptr<EchoService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::GenericStub> stub_;
};

}  // namespace bench

#endif  // TESTS_BENCH_RUNTIME_RAW_GRPC_H_
