// MessageSender: the one-way messages, and the calls of the shared lane, from this node to one peer.
//
// Place:       one per peer, owned by the network. Each side of a pair sends on a stream that it
//              opened itself, so each has its own queue, back-pressure and reconnection.
// States:      idle -> connecting -> connected -> (broken) waiting -> connecting ...
//              The first Send() or Call() leaves idle; from then on the stream is kept open for good.
// Order:       as sent, on one stream. While a write is in flight everything queued gathers, and
//              goes in the next batch. A request also waits for what else its loop has ready.
// Calls:       a request goes with the messages, numbered; the reply comes back on the same stream. So
//              when a stream breaks, every call whose request it had taken ends with UNAVAILABLE, and
//              no reply can be lost in any other way. When an attempt fails, so does every call that
//              waits for it, and every new one until the next attempt.
// Loss:        messages are handed to gRPC only when the peer has answered, and wait in the queue
//              otherwise. What a stream had taken when it broke may be lost.
// Bound:       queued and in flight together; past that Send() and Call() refuse.
// Reconnects:  after a delay that doubles from kRetryDelayMin to kRetryDelayMax, drawn between half
//              of it and all of it, so that nodes do not come back in step.
// Concurrency: any thread. `mutex_` guards all; no gRPC call that could call back is made under it.
#ifndef RUNTIME_REAL_MESSAGE_SENDER_H_
#define RUNTIME_REAL_MESSAGE_SENDER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "runtime/log.h"
#include "runtime/network.h"
#include "runtime/real/byte_budget.h"
#include "runtime/real/client_call.h"
#include "runtime/real/loop.h"
#include "runtime/real/mutex.h"

namespace isochron::runtime {
class Batch;
}

namespace real {

// What all senders of one node share; outlives them.
struct MessageSenderContext {
  const ClientCallContext* calls;
  runtime::Log* log;
  size_t queue_bytes_max;
  size_t batch_bytes_max;
};

struct SharedCall;

class MessageSender final : public std::enable_shared_from_this<MessageSender> {
 public:
  // `loop` is where it waits between two attempts.
  MessageSender(const MessageSenderContext* shared, Loop* loop,
                std::shared_ptr<const ClientCallTarget> target);
  ~MessageSender();

  absl::Status Send(runtime::MessageKind kind, std::string payload);
  runtime::Task<absl::Status> Writable() { return budget_.HalfFree(); }

  // Sends the call's request. Ends the call, which then wakes its waiter, when its reply comes or
  // cannot come any more.
  void Call(std::shared_ptr<SharedCall> call);
  // Nobody waits for the call any more: it need not end, and the peer may stop.
  void Abandon(const SharedCall& call);

  runtime::NodeId peer() const { return peer_; }

  // Goes on with the peer at its new address.
  void Redirect(std::shared_ptr<const ClientCallTarget> target);
  // Sends nothing any more and breaks the stream.
  void Shutdown();

 private:
  class Stream;
  class RetryTimer;
  struct OneWay {
    runtime::MessageKind kind;
    std::string payload;
  };
  struct CancelledCall {
    uint64_t number;
  };
  using Queued = std::variant<OneWay, std::shared_ptr<SharedCall>, CancelledCall>;
  struct PendingCall {
    std::shared_ptr<SharedCall> call;
    bool sent = false;  // Taken by a stream, which is stream_.
  };
  using Calls = std::vector<std::shared_ptr<SharedCall>>;
  // What there is to do once the mutex is free.
  struct Next {
    Stream* write = nullptr;
    std::vector<Queued> batch;
    bool connect = false;
    Loop* write_later = nullptr;
  };

  static size_t Cost(const Queued& queued);

  // Opens a stream, unless there is one.
  void Connect();
  // The stream's news.
  void Connected(Stream* stream);
  void Replied(isochron::runtime::Batch* replies);
  void Written(Stream* stream, bool ok);
  void Broken(Stream* stream);
  void Ended(Stream* stream, absl::Status reason);

  // A request waits for what else its loop has ready, which may be more of them.
  Next Push(Queued queued) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Proceed(Next next);
  void WriteNow();
  absl::Status DoesNotFit(const char* what, size_t bytes) const;
  // Why a call cannot be queued now; OK if it can.
  absl::Status RefusalOfCalls() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether it is the request of a call that has ended.
  bool IsOver(const Queued& queued) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the calls that end with the stream that is over: those it had taken, or all. What they
  // have in the queue goes, and is added to `freed`.
  Calls TakeLost(bool all, size_t* freed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Counts the calls, which have their results, and wakes who waits.
  void EndCalls(Calls calls);
  void Count(const SharedCall& call, bool ok);

  // Takes the next batch for the stream to write, if that is free.
  bool TakeBatch(std::vector<Queued>* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RetryLater(runtime::Duration delay);

  const MessageSenderContext* const shared_;
  Loop* const loop_;
  const runtime::NodeId peer_;
  ByteBudget budget_;

  Mutex mutex_;
  std::shared_ptr<const ClientCallTarget> target_ ABSL_GUARDED_BY(mutex_);
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  // From Connect() until it has ended.
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;     // And not broken since.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;       // A write is in flight on stream_.
  bool write_posted_ ABSL_GUARDED_BY(mutex_) = false;  // WriteNow() stands in a loop's queue.
  size_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;  // For the next attempt.
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t calls_made_ ABSL_GUARDED_BY(mutex_) = 0;
  // Those that have not ended, by their numbers.
  absl::btree_map<uint64_t, PendingCall> calls_ ABSL_GUARDED_BY(mutex_);
  std::string unreachable_ ABSL_GUARDED_BY(mutex_);  // Why the last attempt failed, if it did.
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;         // Attempts since the last connection.

  std::unique_ptr<RetryTimer> retry_timer_;  // The loop's.
};

}  // namespace real

#endif  // RUNTIME_REAL_MESSAGE_SENDER_H_
