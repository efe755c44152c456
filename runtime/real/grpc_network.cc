#include "runtime/real/grpc_network.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/check.h"
#include "runtime/deadline.h"
#include "runtime/real/connection_settings.h"
#include "runtime/real/credentials.h"
#include "runtime/real/self_call.h"
#include "runtime/real/shared_call.h"
#include "runtime/status_macros.h"

namespace real {
namespace {

// Runs `work` on `loop` before it returns. From the loop itself or from a thread that runs none.
void RunOnLoop(Loop* loop, absl::AnyInvocable<void()> work) {
  if (runtime::Executor::CurrentOrNull() == loop) return work();
  CHECK(runtime::Executor::CurrentOrNull() == nullptr)
      << "a registration is undone on its handler's loop, or outside the loops";
  // Ends when the closure has run, or was dropped because the loop has stopped.
  Outstanding pending;
  pending.Begin();
  std::shared_ptr<void> end(nullptr, [&pending](void*) { pending.End(); });
  loop->Post([work = std::move(work), end = std::move(end)]() mutable { work(); });
  pending.WaitForNone();
}

runtime::Task<absl::StatusOr<std::string>> AwaitSelf(std::shared_ptr<ServedMethod> method,
                                                     runtime::NodeId self, std::string request,
                                                     runtime::MonotonicTime deadline) {
  co_return co_await SelfCallAwaiter(std::move(method), self, std::move(request), deadline);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcNetwork>> GrpcNetwork::Create(const GrpcNetworkOptions& options,
                                                                 const GrpcNetworkWorld& world) {
  const bool listens = !options.listen_address.empty();
  ASSIGN_OR_RETURN(const TlsFiles tls, ReadTlsFiles(options.tls, listens));
  std::unique_ptr<GrpcNetwork> network(new GrpcNetwork(options, world));
  network->channel_credentials_ = MakeChannelCredentials(options.tls, tls);
  if (listens) {
    const Serving serving{
        options.self,      &network->slots_,   &network->methods_,      &network->messages_,
        &network->stamps_, &network->metrics_, options.queue_bytes_max, options.batch_bytes_max};
    ASSIGN_OR_RETURN(network->server_, GrpcServer::Listen(serving, options.listen_address,
                                                          MakeServerCredentials(options.tls, tls)));
  }
  return network;
}

GrpcNetwork::GrpcNetwork(const GrpcNetworkOptions& options, const GrpcNetworkWorld& world)
    : self_(options.self),
      loops_(world.loops),
      metrics_(world.metrics),
      calls_{options.self, world.clocks, &stamps_, &metrics_, &outstanding_},
      senders_{&calls_, world.log, options.queue_bytes_max, options.batch_bytes_max},
      slots_(options.self, options.calls_max, &metrics_),
      messages_(&metrics_),
      to_self_(options.queue_bytes_max),
      grpc_log_(world.log),
      tls_(options.tls.enabled()),
      peer_name_(tls_ ? options.tls.peer_name : "") {
  // Debian's Abseil looks for deadlocks among all locks of gRPC, under one lock of its own.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

GrpcNetwork::~GrpcNetwork() {
  absl::btree_map<runtime::NodeId, Peer> peers;
  {
    MutexLock lock(&mutex_);
    peers.swap(peers_);
  }
  for (auto& [node, peer] : peers) peer.sender->Shutdown();
  server_.reset();
  outstanding_.WaitForNone();
}

std::shared_ptr<grpc::Channel> GrpcNetwork::MakeChannel(const std::string& address) const {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kWireBytesMax);
  arguments.SetMaxSendMessageSize(kWireBytesMax);
  // A peer that restarts is found again soon; one that hangs is given up after some seconds.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 2000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 5000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Between nodes, never through a proxy; and each node of a process has connections of its own.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Whether to try again is for the caller to say.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  for (const ConnectionSetting& one : kConnectionSettings) arguments.SetInt(one.name, one.value);
  if (!peer_name_.empty()) arguments.SetSslTargetNameOverride(peer_name_);
  return grpc::CreateCustomChannel(address, channel_credentials_, arguments);
}

void GrpcNetwork::SetPeer(runtime::NodeId peer, std::string address) {
  if (peer == self_) return;
  std::shared_ptr<MessageSender> redirected;
  std::shared_ptr<const ClientCallTarget> target;
  {
    MutexLock lock(&mutex_);
    Peer& known = peers_[peer];
    if (known.target != nullptr && known.target->address == address) return;
    target = std::make_shared<ClientCallTarget>(
        ClientCallTarget{peer, address, tls_, MakeChannel(address)});
    known.target = target;
    if (known.sender == nullptr) {
      Loop* const loop = loops_[peer.value() % loops_.size()];
      known.sender = std::make_shared<MessageSender>(&senders_, loop, target);
      return;
    }
    redirected = known.sender;
  }
  redirected->Redirect(std::move(target));
}

absl::StatusOr<GrpcNetwork::Peer> GrpcNetwork::FindPeer(runtime::NodeId peer) {
  MutexLock lock(&mutex_);
  const auto found = peers_.find(peer);
  if (found != peers_.end()) return found->second;
  return absl::NotFoundError(absl::StrCat("no address is known for node ", peer.value()));
}

Loop* GrpcNetwork::ToLoop(runtime::Executor* executor) const {
  const auto found = std::find(loops_.begin(), loops_.end(), executor);
  CHECK(found != loops_.end()) << "a handler's executor is not a loop of this world";
  return *found;
}

runtime::Task<absl::StatusOr<std::string>> GrpcNetwork::Call(runtime::NodeId peer,
                                                             std::string method,
                                                             std::string request,
                                                             runtime::Duration timeout,
                                                             runtime::Lane lane) {
  CHECK(timeout > runtime::Duration::zero());
  if (peer == self_) return CallSelf(std::move(method), std::move(request), timeout);
  // What is large would hold up what shares the lane.
  if (lane == runtime::Lane::kShared && request.size() <= senders_.batch_bytes_max) {
    return CallShared(peer, std::move(method), std::move(request), timeout);
  }
  return CallPeer(peer, std::move(method), std::move(request), timeout);
}

runtime::Task<absl::StatusOr<std::string>> GrpcNetwork::CallPeer(runtime::NodeId peer,
                                                                 std::string method,
                                                                 std::string request,
                                                                 runtime::Duration timeout) {
  CO_ASSIGN_OR_RETURN(const Peer known, FindPeer(peer));
  auto call = std::make_shared<ClientCall>(&calls_, known.target, std::move(method), request);
  co_return co_await ClientCall::Awaiter(std::move(call), timeout);
}

runtime::Task<absl::StatusOr<std::string>> GrpcNetwork::CallShared(runtime::NodeId peer,
                                                                   std::string method,
                                                                   std::string request,
                                                                   runtime::Duration timeout) {
  CO_ASSIGN_OR_RETURN(Peer known, FindPeer(peer));
  co_return co_await SharedCallAwaiter(std::move(known.sender), std::move(method),
                                       std::move(request), timeout, calls_.clocks->Raw());
}

runtime::Task<absl::StatusOr<std::string>> GrpcNetwork::CallSelf(std::string method,
                                                                 std::string request,
                                                                 runtime::Duration timeout) {
  std::shared_ptr<ServedMethod> served = methods_.Find(method);
  if (served == nullptr) {
    co_return NotServed(self_, method);
  }
  const runtime::MonotonicTime deadline = Loop::Current().Now() + timeout;
  co_return co_await runtime::WithDeadline(
      deadline, AwaitSelf(std::move(served), self_, std::move(request), deadline));
}

runtime::Network::Registration GrpcNetwork::Serve(std::string method, runtime::Executor* executor,
                                                  CallHandler handler) {
  Loop* const loop = ToLoop(executor);
  auto served = std::make_shared<ServedMethod>(std::move(method), loop, std::move(handler));
  methods_.Add(served);
  return Registration([this, served] {
    RunOnLoop(served->loop(), [this, served] {
      methods_.Remove(served->name());
      served->Close();
    });
  });
}

absl::Status GrpcNetwork::Send(runtime::NodeId peer, runtime::MessageKind kind,
                               std::string payload) {
  if (peer == self_) return SendToSelf(kind, std::move(payload));
  ASSIGN_OR_RETURN(const Peer known, FindPeer(peer));
  return known.sender->Send(kind, std::move(payload));
}

absl::Status GrpcNetwork::SendToSelf(runtime::MessageKind kind, std::string payload) {
  const size_t bytes = payload.size();
  if (!to_self_.TryTake(bytes)) {
    metrics_.messages_refused.Add();
    return absl::ResourceExhaustedError(absl::StrCat("a message of ", bytes,
                                                     " bytes does not fit: ", to_self_.bytes_max(),
                                                     " bytes may wait for the own node"));
  }
  std::vector<IncomingMessage> one;
  one.push_back({kind, std::move(payload)});
  const std::shared_ptr<void> done(nullptr, [this, bytes](void*) { to_self_.Give(bytes); });
  messages_.Dispatch(self_, std::move(one), done, &Loop::Post);
  return absl::OkStatus();
}

runtime::Task<absl::Status> GrpcNetwork::Writable(runtime::NodeId peer) {
  if (peer == self_) co_return co_await to_self_.HalfFree();
  CO_ASSIGN_OR_RETURN(const Peer known, FindPeer(peer));
  co_return co_await known.sender->Writable();
}

runtime::Network::Registration GrpcNetwork::Receive(runtime::MessageKind kind,
                                                    runtime::Executor* executor,
                                                    MessageHandler handler) {
  Loop* const loop = ToLoop(executor);
  messages_.Add(kind, loop, std::move(handler));
  return Registration(
      [this, kind, loop] { RunOnLoop(loop, [this, kind] { messages_.Remove(kind); }); });
}

}  // namespace real
