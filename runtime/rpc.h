// Typed calls and messages over Network: a Protocol Buffers request in, a Protocol Buffers reply
// out.
//
//   inline constexpr Method<PrepareRequest, PrepareReply>
//   kPrepare{"/isochron.txn.Participant/Prepare"}; CO_ASSIGN_OR_RETURN(PrepareReply reply, co_await
//   Call(&network, kPrepare, peer, request, 1s));
#ifndef RUNTIME_RPC_H_
#define RUNTIME_RPC_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "runtime/network.h"
#include "runtime/status_macros.h"

namespace runtime {

template <typename Request, typename Reply>
struct Method {
  const char* path;  // "/package.Service/Method".
};

template <typename Request, typename Reply>
Task<absl::StatusOr<Reply>> Call(Network* network, Method<Request, Reply> method, NodeId peer,
                                 Request request, Duration timeout, Lane lane = Lane::kOwn) {
  CO_ASSIGN_OR_RETURN(
      std::string bytes,
      co_await network->Call(peer, method.path, request.SerializeAsString(), timeout, lane));
  Reply reply;
  if (!reply.ParseFromString(bytes)) {
    co_return absl::DataLossError(absl::StrCat("node ", peer.value(), " answered ", method.path,
                                               " with what is not a ", reply.GetTypeName()));
  }
  co_return reply;
}

namespace internal {

template <typename Request, typename Reply>
Task<absl::StatusOr<std::string>> Handle(
    std::function<Task<absl::StatusOr<Reply>>(NodeId, Request)>* handler, const char* path,
    NodeId caller, std::string bytes) {
  Request request;
  if (!request.ParseFromString(bytes)) {
    co_return absl::InvalidArgumentError(
        absl::StrCat("the request of ", path, " is not a ", request.GetTypeName()));
  }
  CO_ASSIGN_OR_RETURN(Reply reply, co_await (*handler)(caller, std::move(request)));
  co_return reply.SerializeAsString();
}

}  // namespace internal

// Serves `method` on `executor` with `handler`.
template <typename Request, typename Reply>
[[nodiscard]] Network::Registration Serve(
    Network* network, Method<Request, Reply> method, Executor* executor,
    std::function<Task<absl::StatusOr<Reply>>(NodeId, Request)> handler) {
  auto shared = std::make_shared<decltype(handler)>(std::move(handler));
  return network->Serve(method.path, executor,
                        [shared, path = method.path](NodeId caller, std::string bytes) {
                          return internal::Handle(shared.get(), path, caller, std::move(bytes));
                        });
}

}  // namespace runtime

#endif  // RUNTIME_RPC_H_
