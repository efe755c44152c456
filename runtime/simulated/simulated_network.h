// SimulatedNetwork: the network endpoint of one incarnation of a node (see runtime/network.h for
// what it promises, Links for what can go wrong between two).
//
// Calls:      request, reply and cancellation are one transmission each. One that is lost leaves
//             the caller to its deadline, or, as often, to UNAVAILABLE when the connection is
//             found broken. A peer that is down refuses: UNAVAILABLE, or silence if its machine
//             lost power. A handler whose caller's connection broke is cancelled. The two lanes do
//             not differ.
// Crash:      ServedCalls' tasks are destroyed by Crash(), before the program; callers hear nothing
//             from here, but from the wire.
#ifndef RUNTIME_SIMULATED_SIMULATED_NETWORK_H_
#define RUNTIME_SIMULATED_SIMULATED_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/clocks.h"
#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/simulated/completion.h"
#include "runtime/simulated/message_stream.h"
#include "runtime/simulated/wire.h"

namespace simulated {

struct NetworkLimits {
  // Calls that may be under way at one node, from all its peers.
  size_t calls_max = 10'000;
  StreamLimits stream = {};
};

// A call, by who made it.
struct CallKey {
  NodeId caller;
  uint64_t incarnation = 0;
  uint64_t number = 0;

  friend auto operator<=>(const CallKey&, const CallKey&) = default;
};

class SimulatedNetwork final : public runtime::Network {
 public:
  SimulatedNetwork(Wire* wire, NodeId self, uint64_t incarnation, NetworkLimits limits,
                   runtime::Clocks* clocks, runtime::Metrics* metrics,
                   SimulatedExecutor* first_loop);
  ~SimulatedNetwork() override;

  // runtime::Network.
  NodeId self() const override { return self_; }
  void SetPeer(NodeId, std::string) override {}
  runtime::Task<absl::StatusOr<std::string>> Call(NodeId peer, std::string method,
                                                  std::string request, Duration timeout,
                                                  runtime::Lane lane) override;
  Registration Serve(std::string method, runtime::Executor* executor, CallHandler handler) override;
  absl::Status Send(NodeId peer, runtime::MessageKind kind, std::string payload) override;
  runtime::Task<absl::Status> Writable(NodeId peer) override;
  Registration Receive(runtime::MessageKind kind, runtime::Executor* executor,
                       MessageHandler handler) override;
  void SetClockStamper(runtime::ClockStamper* stamper) override { stamper_ = stamper; }

  // For the wire, outside every executor: what arrived.
  uint64_t incarnation() const { return incarnation_; }
  void RequestArrived(CallKey key, std::string method, std::string request, Duration timeout,
                      runtime::ClockStamp stamp);
  void CancelArrived(CallKey key);
  void ReplyArrived(uint64_t number, absl::StatusOr<std::string> result, runtime::ClockStamp stamp);
  void CallFailed(uint64_t number, absl::Status status);
  void ConnectionBroke(NodeId peer, MonotonicTime broken_at);
  void BatchArrived(NodeId sender, runtime::ClockStamp stamp, std::vector<OneWayMessage> batch);

  // For the node.
  void SetPaused(bool paused);
  // Destroys all handlers under way, each on its executor, which has crashed.
  void Crash();
  size_t calls_under_way() const { return served_calls_.size(); }

 private:
  class OutgoingCall;
  struct Reply {
    absl::StatusOr<std::string> result;
    // Without one the result is this side's own.
    std::optional<runtime::ClockStamp> stamp;
  };
  struct Pending {
    NodeId peer;
    MonotonicTime sent_at;
    Completion<Reply> reply;
  };
  struct ServedMethod;
  class ServedCall;
  struct MessageReceiver;

  std::shared_ptr<MessageStream> StreamTo(NodeId peer);
  runtime::ClockStamp Stamp() const;
  void Observe(NodeId peer, runtime::ClockStamp stamp, std::optional<Duration> age_max);
  void SendRequest(CallKey key, NodeId peer, std::string method, std::string request,
                   Duration timeout);
  void SendReply(CallKey key, absl::StatusOr<std::string> result);
  void SendCancel(CallKey key, NodeId peer);
  // Tells the caller, this node or another one, that a transmission of its call failed.
  static void TellCaller(Wire* wire, CallKey key, NodeId peer, Wire::Fate fate);
  static runtime::Task<void> RunHandler(ServedCall* call, std::string request, Duration timeout);
  void Unserve(const std::string& method);
  void RecordCall(Happened what, const char* word, CallKey key, NodeId peer,
                  absl::string_view method, absl::string_view bytes);

  Wire& wire_;
  const NodeId self_;
  const uint64_t incarnation_;
  const NetworkLimits limits_;
  runtime::Clocks& clocks_;
  runtime::Counter& without_handler_;
  SimulatedExecutor& first_loop_;
  runtime::ClockStamper* stamper_ = nullptr;
  bool paused_ = false;

  uint64_t calls_made_ = 0;
  std::map<uint64_t, Pending> pending_;  // Calls of this node, by their number.
  std::map<std::string, std::shared_ptr<ServedMethod>> served_methods_;
  std::map<CallKey, std::unique_ptr<ServedCall>> served_calls_;  // At most calls_max.
  std::map<runtime::MessageKind, std::shared_ptr<MessageReceiver>> receivers_;
  std::map<NodeId, std::shared_ptr<MessageStream>> streams_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_NETWORK_H_
