// MessageSender: the one-way messages from this node to one peer.
//
// Place:       one per peer, owned by the network. Each side of a pair sends on a stream that it
//              opened itself, so each has its own queue, back-pressure and reconnection.
// States:      idle -> connecting -> connected -> (broken) waiting -> connecting ...
//              The first Send() leaves idle; from then on the stream is kept open for good.
// Order:       as sent, on one stream. While a write is in flight everything queued gathers, and
//              goes in the next batch.
// Loss:        messages are handed to gRPC only when the peer has answered, and wait in the queue
//              otherwise. What a stream had taken when it broke may be lost.
// Bound:       queued and in flight together; past that Send() refuses.
// Reconnects:  after a delay that doubles from kRetryDelayMin to kRetryDelayMax, drawn between half
//              of it and all of it, so that nodes do not come back in step.
// Concurrency: any thread. `mutex_` guards all; no gRPC call that could call back is made under it.
#ifndef RUNTIME_REAL_MESSAGE_SENDER_H_
#define RUNTIME_REAL_MESSAGE_SENDER_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "runtime/log.h"
#include "runtime/network.h"
#include "runtime/real/byte_budget.h"
#include "runtime/real/client_call.h"
#include "runtime/real/loop.h"
#include "runtime/real/mutex.h"

namespace real {

// What all senders of one node share; outlives them.
struct MessageSenderContext {
  const ClientCallContext* calls;
  runtime::Log* log;
  size_t queue_bytes_max;
  size_t batch_bytes_max;
};

class MessageSender final : public std::enable_shared_from_this<MessageSender> {
 public:
  // `loop` is where it waits between two attempts.
  MessageSender(const MessageSenderContext* shared, Loop* loop,
                std::shared_ptr<const ClientCallTarget> target);
  ~MessageSender();

  absl::Status Send(runtime::MessageKind kind, std::string payload);
  runtime::Task<absl::Status> Writable() { return budget_.HalfFree(); }

  // Goes on with the peer at its new address.
  void Redirect(std::shared_ptr<const ClientCallTarget> target);
  // Sends nothing any more and breaks the stream.
  void Shutdown();

 private:
  class Stream;
  class RetryTimer;
  struct Queued {
    runtime::MessageKind kind;
    std::string payload;
  };

  static size_t Cost(const std::string& payload);

  // Opens a stream, unless there is one.
  void Connect();
  // The stream's news.
  void Connected(Stream* stream);
  void Written(Stream* stream, bool ok);
  void Broken(Stream* stream);
  void Ended(Stream* stream, absl::Status reason);

  // Takes the next batch for the stream to write, if that is free.
  bool TakeBatch(std::vector<Queued>* batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RetryLater(runtime::Duration delay);

  const MessageSenderContext* const shared_;
  Loop* const loop_;
  ByteBudget budget_;

  Mutex mutex_;
  std::shared_ptr<const ClientCallTarget> target_ ABSL_GUARDED_BY(mutex_);
  std::deque<Queued> queue_ ABSL_GUARDED_BY(mutex_);
  // From Connect() until it has ended.
  Stream* stream_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;  // And not broken since.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;    // A write is in flight on stream_.
  size_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;  // For the next attempt.
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
  int failures_ ABSL_GUARDED_BY(mutex_) = 0;  // Attempts since the last connection.

  std::unique_ptr<RetryTimer> retry_timer_;  // The loop's.
};

}  // namespace real

#endif  // RUNTIME_REAL_MESSAGE_SENDER_H_
