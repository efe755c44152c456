// Network: how nodes talk. Unary calls with deadlines, and batched one-way messages.
//
// Place:       one per World. Over gRPC in the real world, where a method name is the gRPC path
//              ("/isochron.txn.Participant/Prepare") and payloads are the serialised messages, so
//              any gRPC client can call a node. runtime/rpc.h gives typed calls over it.
// Calls:       Call() ends with the reply, the handler's error, DEADLINE_EXCEEDED, UNAVAILABLE (the
//              peer cannot be reached or the connection broke: the handler may or may not have
//              run), UNIMPLEMENTED, or RESOURCE_EXHAUSTED (the peer has too many calls under way).
//              The handler runs under the caller's deadline, and cancelling the caller cancels the
//              handler.
// Lanes:       a call on the shared lane means the same, and any handler serves both; it is cheaper
//              where calls are many, since it shares batches. It waits in the queue of messages to
//              the peer (RESOURCE_EXHAUSTED when that is full), and is held back with them by a
//              receiver that is slow. Calls have no order, on either lane.
// Messages:    one ordered stream from each node to each other one; all that waits when the stream
//              is free goes in one batch. A message may be lost, and in the simulated world also
//              duplicated and reordered: protocols above resend. Memory is bounded: Send() refuses
//              with RESOURCE_EXHAUSTED when `queue_bytes_max` are waiting, and Writable() waits for
//              room. A receiver that is slow holds its senders back.
// Self:        calls and messages to the own node do not touch the network, and are never lost.
// Concurrency: from any executor of the node; the answer comes back on the caller's executor.
//              Handlers run on the executor they were registered with.
#ifndef RUNTIME_NETWORK_H_
#define RUNTIME_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/strong_id.h"
#include "runtime/task.h"
#include "runtime/time.h"

namespace runtime {

// What a one-way message is about; each floor that sends them names its own constants.
using MessageKind = StrongId<struct MessageKindTag, uint32_t>;

// The sender's clock interval, carried by every call, reply and batch (TT-CONTRADICTION). The
// network only carries it; truetime/ fills it in and judges it.
struct ClockStamp {
  Timestamp earliest = Timestamp::Min();
  Timestamp latest = Timestamp::Max();
};

// Gives and takes the stamps. Called from any thread.
class ClockStamper {
 public:
  virtual ~ClockStamper() = default;

  virtual ClockStamp Stamp() = 0;

  // `peer` read `stamp` from its clock at some moment before now. With `age_max`, that moment was
  // at most so long ago (by this node's raw oscillator): it is the reply to a call sent then.
  virtual void Observe(NodeId peer, ClockStamp stamp, std::optional<Duration> age_max) = 0;
};

// How a call travels. The simulated world makes no difference.
enum class Lane : uint8_t {
  // On its own: the right way for what is large, rare, or comes from no node.
  kOwn,
  // For small calls that are made often: the request travels in the batches of messages to the
  // peer, and its reply in batches that come back on the same stream.
  kShared,
};

class Network {
 public:
  // `caller` is the calling node, 0 if it is none. `request` is the handler's own.
  using CallHandler =
      std::function<Task<absl::StatusOr<std::string>>(NodeId caller, std::string request)>;
  // Takes a message on the handler's executor. It does not wait: what takes time goes to a bounded
  // queue of its owner.
  using MessageHandler = std::function<void(NodeId sender, std::string payload)>;

  // Undoes a registration when destroyed, on the executor of the handler. Calls under way are
  // cancelled, and their handlers destroyed with the next turn of that executor; so destroy it
  // before what the handler uses, or after the executor's tasks have ended.
  class Registration {
   public:
    Registration() = default;
    explicit Registration(std::function<void()> undo) : undo_(std::move(undo)) {}
    Registration(Registration&& other) noexcept : undo_(std::exchange(other.undo_, nullptr)) {}
    Registration& operator=(Registration&& other) noexcept {
      std::swap(undo_, other.undo_);
      return *this;
    }
    ~Registration() {
      if (undo_) undo_();
    }

   private:
    std::function<void()> undo_;
  };

  virtual ~Network() = default;

  virtual NodeId self() const = 0;

  // Where a peer listens ("host:port"); replaces what was known. The simulated world needs no
  // addresses.
  virtual void SetPeer(NodeId peer, std::string address) = 0;

  // Calls `method` ("/package.Service/Method") at `peer`. `timeout` > 0.
  virtual Task<absl::StatusOr<std::string>> Call(NodeId peer, std::string method,
                                                 std::string request, Duration timeout,
                                                 Lane lane = Lane::kOwn) = 0;

  // Serves `method` on `executor`. CHECKs that it has no handler yet.
  [[nodiscard]] virtual Registration Serve(std::string method, Executor* executor,
                                           CallHandler handler) = 0;

  // Queues a message for `peer`. OK means queued, not received. RESOURCE_EXHAUSTED: no room.
  // NOT_FOUND: no such peer.
  virtual absl::Status Send(NodeId peer, MessageKind kind, std::string payload) = 0;

  // Waits until the queue to `peer` is at most half full.
  virtual Task<absl::Status> Writable(NodeId peer) = 0;

  // Hands messages of `kind` to `handler` on `executor`. CHECKs that the kind has no handler yet.
  // Messages of a kind without a handler are dropped and counted.
  [[nodiscard]] virtual Registration Receive(MessageKind kind, Executor* executor,
                                             MessageHandler handler) = 0;

  // Who stamps and judges from now on. Outlives the network, or is replaced by null first.
  virtual void SetClockStamper(ClockStamper* stamper) = 0;
};

}  // namespace runtime

#endif  // RUNTIME_NETWORK_H_
