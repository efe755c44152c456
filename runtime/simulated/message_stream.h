// MessageStream: the one-way messages from one node to one other, on the sender's side.
//
// All that waits when the stream is free goes as one batch; a batch takes the time that the link's
// bandwidth gives it, and arrives in order unless a fault says otherwise. A message counts against
// the receiver's window from the moment it is sent until its handler has run or it is lost, so a
// receiver that stands still stops the stream, and then Send() runs out of room.
#ifndef RUNTIME_SIMULATED_MESSAGE_STREAM_H_
#define RUNTIME_SIMULATED_MESSAGE_STREAM_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "runtime/network.h"
#include "runtime/simulated/completion.h"
#include "runtime/simulated/wire.h"
#include "runtime/task.h"

namespace simulated {

class MessageStream;

// Room in a receiver's window; given back when the message has been handled, or died on its way.
class WindowCredit {
 public:
  WindowCredit() = default;
  WindowCredit(std::weak_ptr<MessageStream> stream, size_t bytes)
      : stream_(std::move(stream)), bytes_(bytes) {}
  WindowCredit(WindowCredit&& other) noexcept
      : stream_(std::move(other.stream_)), bytes_(std::exchange(other.bytes_, 0)) {}
  WindowCredit& operator=(WindowCredit&& other) noexcept {
    std::swap(stream_, other.stream_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~WindowCredit();

 private:
  std::weak_ptr<MessageStream> stream_;
  size_t bytes_ = 0;
};

struct OneWayMessage {
  runtime::MessageKind kind;
  std::string payload;
  WindowCredit credit;
};

struct StreamLimits {
  size_t queue_bytes_max = size_t{16} << 20;
  size_t window_bytes_max = size_t{1} << 20;
};

class MessageStream final : public std::enable_shared_from_this<MessageStream> {
 public:
  // `stamp` gives the stamp that goes with a batch.
  MessageStream(Wire* wire, NodeId from, NodeId to, StreamLimits limits,
                std::function<runtime::ClockStamp()> stamp);

  absl::Status Send(runtime::MessageKind kind, std::string payload);
  // Waits until the queue is at most half full.
  static runtime::Task<absl::Status> Writable(std::shared_ptr<MessageStream> stream);

  // While the node is paused nothing leaves.
  void SetPaused(bool paused);

 private:
  friend class WindowCredit;
  using Batch = std::vector<OneWayMessage>;

  bool HalfFree() const { return queued_bytes_ <= limits_.queue_bytes_max / 2; }
  void CreditReturned(size_t bytes);
  // Has Pump() run a little later, when the stream is free.
  void SchedulePump(Duration delay);
  void Pump();
  Batch TakeBatch(size_t* bytes);
  // Draws what happens to each message of the batch; what is left of it goes in order.
  Batch DrawFaults(Batch batch);
  void SendBatch(Batch batch, size_t bytes, Duration transmission);
  void SendStraggler(OneWayMessage message);
  void RecordMessage(Happened what, const OneWayMessage& message);

  Wire& wire_;
  const NodeId from_;
  const NodeId to_;
  const StreamLimits limits_;
  const std::function<runtime::ClockStamp()> stamp_;
  std::deque<OneWayMessage> queue_;
  size_t queued_bytes_ = 0;     // At most queue_bytes_max.
  size_t unhandled_bytes_ = 0;  // Sent, and not handled or lost yet.
  bool paused_ = false;
  bool pump_scheduled_ = false;
  MonotonicTime last_arrival_;
  std::vector<Completion<bool>> writable_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_MESSAGE_STREAM_H_
