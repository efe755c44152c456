// The calls that gateways and shards make (txn/service.proto), and how a refusal gets from one end
// to the other: a handler ends with an error, whoever called sees it as one again.
//
//   absl::StatusOr<proto::CommitReply> reply = co_await CallNode(&network, kCommit, node, request, 2s);
//   // RefusalOf(reply.status()): the shard said no. No refusal: nobody knows what happened.
#ifndef TXN_CALLS_H_
#define TXN_CALLS_H_

#include <functional>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/network.h"
#include "runtime/rpc.h"
#include "runtime/task.h"
#include "txn/refusal.h"
#include "txn/service.pb.h"

namespace txn {

namespace proto = ::isochron::txn;

inline constexpr runtime::Method<proto::AccessRequest, proto::AccessReply> kAccess{
    "/isochron.txn.Shard/Access"};
inline constexpr runtime::Method<proto::PrepareRequest, proto::PrepareReply> kPrepare{
    "/isochron.txn.Shard/Prepare"};
inline constexpr runtime::Method<proto::CommitRequest, proto::CommitReply> kCommit{
    "/isochron.txn.Shard/Commit"};
inline constexpr runtime::Method<proto::ReportRequest, proto::ReportReply> kReport{
    "/isochron.txn.Shard/Report"};
inline constexpr runtime::Method<proto::ResolveRequest, proto::ResolveReply> kResolve{
    "/isochron.txn.Shard/Resolve"};
inline constexpr runtime::Method<proto::ConcludeRequest, proto::ConcludeReply> kConclude{
    "/isochron.txn.Shard/Conclude"};
inline constexpr runtime::Method<proto::ReleaseRequest, proto::ReleaseReply> kRelease{
    "/isochron.txn.Shard/Release"};
inline constexpr runtime::Method<proto::KeepAliveRequest, proto::KeepAliveReply> kKeepAlive{
    "/isochron.txn.Shard/KeepAlive"};
inline constexpr runtime::Method<proto::ReadRequest, proto::ReadReply> kRead{
    "/isochron.txn.Shard/Read"};

// On the shared lane: a transaction makes several small calls.
//
// The reply, without a refusal; or the refusal as a status; or why no reply came.
template <typename Request, typename Reply>
runtime::Task<absl::StatusOr<Reply>> CallNode(runtime::Network* network,
                                              runtime::Method<Request, Reply> method,
                                              runtime::NodeId node, Request request,
                                              runtime::Duration timeout) {
  absl::StatusOr<Reply> reply = co_await runtime::Call(network, method, node, std::move(request),
                                                       timeout, runtime::Lane::kShared);
  if (reply.ok() && reply->has_refusal()) co_return ToStatus(Decode(reply->refusal()));
  co_return reply;
}

}  // namespace txn

#endif  // TXN_CALLS_H_
