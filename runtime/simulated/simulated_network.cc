#include "runtime/simulated/simulated_network.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/deadline.h"

namespace simulated {
namespace {

using runtime::Task;

SimulatedExecutor* ToSimulated(runtime::Executor* executor) {
  return static_cast<SimulatedExecutor*>(executor);
}

}  // namespace

struct SimulatedNetwork::ServedMethod {
  std::string name;
  SimulatedExecutor* executor;
  CallHandler handler;
};

struct SimulatedNetwork::MessageReceiver {
  SimulatedExecutor* executor;
  MessageHandler handler;
  bool registered = true;
};

// A call under way at its handler. Lives on the handler's executor; ends itself with its task.
class SimulatedNetwork::ServedCall final : public runtime::internal::TaskObserver {
 public:
  ServedCall(SimulatedNetwork* its_network, CallKey its_key,
             std::shared_ptr<ServedMethod> its_method, MonotonicTime now)
      : network(*its_network), key(its_key), method(std::move(its_method)), arrived_at(now) {}

  void Start(std::string request, Duration timeout) {
    started = true;
    task_ = RunHandler(this, std::move(request), timeout);
    task_.Start(&cancel, this);
  }

  SimulatedNetwork& network;
  const CallKey key;
  const std::shared_ptr<ServedMethod> method;
  const MonotonicTime arrived_at;
  bool started = false;
  runtime::CancelScope cancel;

 private:
  void TaskEnded() override { network.served_calls_.erase(key); }

  Task<void> task_;
};

// The caller's side of a call, in the caller's frame: if that ends before the reply has come, the
// handler is told.
class SimulatedNetwork::OutgoingCall {
 public:
  OutgoingCall(SimulatedNetwork* network, NodeId peer)
      : network_(*network),
        peer_(peer),
        key_{network->self_, network->incarnation_, ++network->calls_made_},
        pending_(network->pending_[key_.number]) {
    pending_.peer = peer;
    pending_.sent_at = network->wire_.scheduler().now();
  }
  OutgoingCall(const OutgoingCall&) = delete;
  OutgoingCall& operator=(const OutgoingCall&) = delete;
  ~OutgoingCall() {
    const bool answered = pending_.reply.is_set();
    network_.pending_.erase(key_.number);
    if (!answered && !runtime::Executor::Current().crashing()) network_.SendCancel(key_, peer_);
  }

  CallKey key() const { return key_; }
  Reply TakeReply() { return pending_.reply.Take(); }
  Task<absl::Status> Wait() { co_return co_await pending_.reply.Wait(); }

 private:
  SimulatedNetwork& network_;
  const NodeId peer_;
  const CallKey key_;
  Pending& pending_;
};

SimulatedNetwork::SimulatedNetwork(Wire* wire, NodeId self, uint64_t incarnation,
                                   NetworkLimits limits, runtime::Clocks* clocks,
                                   runtime::Metrics* metrics, SimulatedExecutor* first_loop)
    : wire_(*wire),
      self_(self),
      incarnation_(incarnation),
      limits_(limits),
      clocks_(*clocks),
      without_handler_(metrics->GetCounter("isochron_messages_without_handler_total",
                                           "One-way messages of a kind that nobody takes", {})),
      first_loop_(*first_loop) {
  wire_.Attach(self_, this);
}

SimulatedNetwork::~SimulatedNetwork() { CHECK(served_calls_.empty() && pending_.empty()); }

Task<absl::StatusOr<std::string>> SimulatedNetwork::Call(NodeId peer, std::string method,
                                                         std::string request, Duration timeout,
                                                         runtime::Lane) {
  CHECK_GT(timeout.count(), 0);
  // A node's endpoint goes with its incarnation; nobody else's frame may wait in it.
  CHECK_EQ(ToSimulated(&runtime::Executor::Current())->node(), self_);
  if (!wire_.Knows(peer)) {
    co_return absl::NotFoundError(absl::StrCat("node ", peer.value(), " is not known here"));
  }
  OutgoingCall call(this, peer);
  const MonotonicTime asked = clocks_.Raw();
  SendRequest(call.key(), peer, method, std::move(request), timeout);
  const absl::Status waited = co_await runtime::WithTimeout(timeout, call.Wait());
  if (absl::IsDeadlineExceeded(waited)) {
    co_return absl::DeadlineExceededError(
        absl::StrCat("node ", peer.value(), " did not answer ", method, " in time"));
  }
  if (!waited.ok()) co_return waited;
  Reply reply = call.TakeReply();
  if (reply.stamp.has_value()) Observe(peer, *reply.stamp, clocks_.Raw() - asked);
  co_return std::move(reply.result);
}

runtime::Network::Registration SimulatedNetwork::Serve(std::string method,
                                                       runtime::Executor* executor,
                                                       CallHandler handler) {
  auto served = std::make_shared<ServedMethod>(
      ServedMethod{method, ToSimulated(executor), std::move(handler)});
  CHECK(served_methods_.emplace(method, std::move(served)).second)
      << method << " is served already";
  return Registration([this, method] { Unserve(method); });
}

void SimulatedNetwork::Unserve(const std::string& method) {
  const auto node = served_methods_.extract(method);
  const std::shared_ptr<ServedMethod> served = node.mapped();
  const absl::Status reason = absl::UnavailableError(absl::StrCat(method, " is no longer served"));
  const auto end_calls = [this, served, reason](bool those_started) {
    for (auto next = served_calls_.begin(); next != served_calls_.end();) {
      const auto call = next++;
      if (call->second->method != served || call->second->started != those_started) continue;
      SendReply(call->first, reason);
      served_calls_.erase(call);
    }
  };
  end_calls(/*those_started=*/false);
  // Handlers may still end by themselves in this turn; in the next one they are destroyed.
  served->executor->Do([&] {
    for (auto& [key, call] : served_calls_) {
      if (call->method == served) call->cancel.Cancel(reason);
    }
  });
  served->executor->Post([end_calls] { end_calls(/*those_started=*/true); });
}

absl::Status SimulatedNetwork::Send(NodeId peer, runtime::MessageKind kind, std::string payload) {
  if (!wire_.Knows(peer)) {
    return absl::NotFoundError(absl::StrCat("node ", peer.value(), " is not known here"));
  }
  return StreamTo(peer)->Send(kind, std::move(payload));
}

Task<absl::Status> SimulatedNetwork::Writable(NodeId peer) {
  if (!wire_.Knows(peer)) {
    co_return absl::NotFoundError(absl::StrCat("node ", peer.value(), " is not known here"));
  }
  co_return co_await MessageStream::Writable(StreamTo(peer));
}

runtime::Network::Registration SimulatedNetwork::Receive(runtime::MessageKind kind,
                                                         runtime::Executor* executor,
                                                         MessageHandler handler) {
  auto receiver =
      std::make_shared<MessageReceiver>(MessageReceiver{ToSimulated(executor), std::move(handler)});
  CHECK(receivers_.emplace(kind, receiver).second)
      << "message kind " << kind << " has a handler already";
  return Registration([this, kind, receiver] {
    receiver->registered = false;
    receivers_.erase(kind);
  });
}

std::shared_ptr<MessageStream> SimulatedNetwork::StreamTo(NodeId peer) {
  std::shared_ptr<MessageStream>& stream = streams_[peer];
  if (stream == nullptr) {
    stream = std::make_shared<MessageStream>(&wire_, self_, peer, limits_.stream,
                                             [this] { return Stamp(); });
    stream->SetPaused(paused_);
  }
  return stream;
}

runtime::ClockStamp SimulatedNetwork::Stamp() const {
  return stamper_ == nullptr ? runtime::ClockStamp() : stamper_->Stamp();
}

void SimulatedNetwork::Observe(NodeId peer, runtime::ClockStamp stamp,
                               std::optional<Duration> age_max) {
  const bool says_nothing = stamp.earliest == Timestamp::Min() && stamp.latest == Timestamp::Max();
  if (stamper_ == nullptr || peer == self_ || says_nothing) return;
  stamper_->Observe(peer, stamp, age_max);
}

void SimulatedNetwork::SendRequest(CallKey key, NodeId peer, std::string method,
                                   std::string request, Duration timeout) {
  RecordCall(Happened::kSent, "call", key, peer, method, request);
  const Duration transmission =
      peer == self_ ? 0ns : wire_.links().TransmissionTime(self_, peer, request.size());
  wire_.Transmit(
      {.from = self_, .to = peer, .extra_delay = transmission},
      [key, method = std::move(method), request = std::move(request), timeout,
       stamp = Stamp()](SimulatedNetwork& server) mutable {
        server.RequestArrived(key, std::move(method), std::move(request), timeout, stamp);
      },
      [wire = &wire_, key, peer](Wire::Fate fate) { TellCaller(wire, key, peer, fate); });
}

void SimulatedNetwork::SendReply(CallKey key, absl::StatusOr<std::string> result) {
  // As over gRPC, an error is its code and its sentence. Payloads would also print in an order that
  // depends on where they lie in memory.
  if (!result.ok()) result = absl::Status(result.status().code(), result.status().message());
  const std::string content =
      result.ok() ? *result
                  : absl::StrCat(result.status().code(), std::string(result.status().message()));
  RecordCall(Happened::kSent, result.ok() ? "reply" : "error", key, key.caller, "", content);
  const Duration transmission =
      key.caller == self_ ? 0ns : wire_.links().TransmissionTime(self_, key.caller, content.size());
  const uint64_t to_incarnation = key.incarnation;
  wire_.Transmit(
      {.from = self_, .to = key.caller, .extra_delay = transmission},
      [key, to_incarnation, result = std::move(result),
       stamp = Stamp()](SimulatedNetwork& caller) mutable {
        if (caller.incarnation() != to_incarnation) return;
        caller.ReplyArrived(key.number, std::move(result), stamp);
      },
      [wire = &wire_, key, self = self_](Wire::Fate fate) {
        // Refused: the caller is gone.
        if (fate == Wire::Fate::kLost) TellCaller(wire, key, self, fate);
      });
}

void SimulatedNetwork::SendCancel(CallKey key, NodeId peer) {
  RecordCall(Happened::kSent, "cancel", key, peer, "", "");
  wire_.Transmit(
      {.from = self_, .to = peer}, [key](SimulatedNetwork& server) { server.CancelArrived(key); },
      [](Wire::Fate) {});
}

void SimulatedNetwork::TellCaller(Wire* wire, CallKey key, NodeId peer, Wire::Fate fate) {
  Links& links = wire->links();
  Duration after = links.DrawDelay(peer, key.caller, wire->scheduler().now());
  if (fate == Wire::Fate::kRefused) {
    if (!links.Reaches(peer, key.caller)) return;
  } else {
    // The connection is found broken sooner or later, or only the deadline ends the wait.
    if (links.random().Chance(0.5)) return;
    after += links.random().Exponential(200ms);
  }
  wire->scheduler().After(after, [wire, key, peer, fate] {
    SimulatedNetwork* const caller = wire->Endpoint(key.caller, key.incarnation);
    if (caller == nullptr) return;
    const char* const why =
        fate == Wire::Fate::kRefused ? " refuses connections" : ": the connection broke";
    caller->CallFailed(key.number,
                       absl::UnavailableError(absl::StrCat("node ", peer.value(), why)));
  });
}

void SimulatedNetwork::RequestArrived(CallKey key, std::string method, std::string request,
                                      Duration timeout, runtime::ClockStamp stamp) {
  RecordCall(Happened::kReceived, "serve", key, key.caller, method, request);
  const auto found = served_methods_.find(method);
  if (found == served_methods_.end()) {
    first_loop_.Post([this, key, method = std::move(method)] {
      SendReply(key, absl::UnimplementedError(
                         absl::StrCat("node ", self_.value(), " does not serve ", method)));
    });
    return;
  }
  if (served_calls_.size() >= limits_.calls_max) {
    return SendReply(key, absl::ResourceExhaustedError(absl::StrCat(
                              limits_.calls_max, " calls are under way at node ", self_.value())));
  }
  const MonotonicTime now = wire_.scheduler().now();
  served_calls_.emplace(key, std::make_unique<ServedCall>(this, key, found->second, now));
  found->second->executor->Post(
      [this, key, request = std::move(request), deadline = now + timeout, stamp]() mutable {
        Observe(key.caller, stamp, std::nullopt);
        const auto call = served_calls_.find(key);
        if (call == served_calls_.end()) return;
        call->second->Start(std::move(request), deadline - wire_.scheduler().now());
      });
}

Task<void> SimulatedNetwork::RunHandler(ServedCall* call, std::string request, Duration timeout) {
  absl::StatusOr<std::string> result = co_await runtime::WithTimeout(
      timeout, call->method->handler(call->key.caller, std::move(request)));
  call->network.SendReply(call->key, std::move(result));
}

void SimulatedNetwork::CancelArrived(CallKey key) {
  const auto found = served_calls_.find(key);
  if (found == served_calls_.end()) return;
  found->second->method->executor->Post([this, key] {
    const auto call = served_calls_.find(key);
    if (call == served_calls_.end()) return;
    call->second->cancel.Cancel(absl::CancelledError("the caller has gone"));
  });
}

void SimulatedNetwork::ReplyArrived(uint64_t number, absl::StatusOr<std::string> result,
                                    runtime::ClockStamp stamp) {
  const auto found = pending_.find(number);
  if (found != pending_.end()) found->second.reply.Set({std::move(result), stamp});
}

void SimulatedNetwork::CallFailed(uint64_t number, absl::Status status) {
  const auto found = pending_.find(number);
  if (found != pending_.end()) found->second.reply.Set({std::move(status), std::nullopt});
}

void SimulatedNetwork::ConnectionBroke(NodeId peer, MonotonicTime broken_at) {
  const absl::Status status =
      absl::UnavailableError(absl::StrCat("node ", peer.value(), ": the connection broke"));
  for (auto& [number, pending] : pending_) {
    if (pending.peer == peer && pending.sent_at <= broken_at) {
      pending.reply.Set({status, std::nullopt});
    }
  }
  for (auto& [key, call] : served_calls_) {
    if (key.caller == peer && call->arrived_at <= broken_at) CancelArrived(key);
  }
}

void SimulatedNetwork::BatchArrived(NodeId sender, runtime::ClockStamp stamp,
                                    std::vector<OneWayMessage> batch) {
  bool observed = false;
  for (OneWayMessage& message : batch) {
    const auto found = receivers_.find(message.kind);
    if (found == receivers_.end()) {
      without_handler_.Add();
      continue;
    }
    found->second->executor->Post([this, sender, stamp, judge = !observed, receiver = found->second,
                                   message = std::move(message)]() mutable {
      Recorder& recorder = wire_.recorder();
      recorder.Fold(Happened::kReceived, self_.value(), HashBytes(message.payload));
      if (recorder.tracing()) {
        recorder.Trace(self_, absl::StrCat("recv kind=", message.kind.value(), " from n",
                                           sender.value(), " ", message.payload.size(), "B"));
      }
      if (judge) Observe(sender, stamp, std::nullopt);
      if (receiver->registered) receiver->handler(sender, std::move(message.payload));
    });
    observed = true;
  }
}

void SimulatedNetwork::SetPaused(bool paused) {
  paused_ = paused;
  for (auto& [peer, stream] : streams_) stream->SetPaused(paused);
}

void SimulatedNetwork::Crash() {
  wire_.Detach(self_);
  while (!served_calls_.empty()) {
    const auto call = served_calls_.extract(served_calls_.begin());
    call.mapped()->method->executor->Do(
        [&call] { const std::unique_ptr<ServedCall> dying = std::move(call.mapped()); });
  }
}

void SimulatedNetwork::RecordCall(Happened what, const char* word, CallKey key, NodeId peer,
                                  absl::string_view method, absl::string_view bytes) {
  Recorder& recorder = wire_.recorder();
  recorder.Fold(what, uint64_t{self_.value()} << 32 | peer.value(),
                Mix(Mix(HashBytes(method), HashBytes(bytes)), key.number));
  if (!recorder.tracing()) return;
  recorder.Trace(self_, absl::StrCat(word, " n", key.caller.value(), "/", key.number,
                                     method.empty() ? "" : " ", method, " n", peer.value(), " ",
                                     bytes.size(), "B"));
}

}  // namespace simulated
