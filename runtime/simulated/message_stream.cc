#include "runtime/simulated/message_stream.h"

#include "absl/strings/str_cat.h"
#include "runtime/simulated/simulated_network.h"

namespace simulated {
namespace {

// What a message costs beside its payload.
constexpr size_t kHeaderBytes = 16;

size_t SizeOf(const OneWayMessage& message) { return message.payload.size() + kHeaderBytes; }

}  // namespace

WindowCredit::~WindowCredit() {
  if (bytes_ == 0) return;
  if (const auto stream = stream_.lock()) stream->CreditReturned(bytes_);
}

MessageStream::MessageStream(Wire* wire, NodeId from, NodeId to, StreamLimits limits,
                             std::function<runtime::ClockStamp()> stamp)
    : wire_(*wire), from_(from), to_(to), limits_(limits), stamp_(std::move(stamp)) {}

absl::Status MessageStream::Send(runtime::MessageKind kind, std::string payload) {
  OneWayMessage message{kind, std::move(payload), {}};
  const size_t bytes = SizeOf(message);
  if (queued_bytes_ + bytes > limits_.queue_bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat(queued_bytes_, " bytes of messages wait for node ", to_.value()));
  }
  RecordMessage(Happened::kSent, message);
  queued_bytes_ += bytes;
  queue_.push_back(std::move(message));
  // What the sender sends in the same breath goes in the same batch.
  SchedulePump(2us);
  return absl::OkStatus();
}

runtime::Task<absl::Status> MessageStream::Writable(std::shared_ptr<MessageStream> stream) {
  while (!stream->HalfFree()) {
    const Completion<bool> writable;
    stream->writable_.push_back(writable);
    if (absl::Status waited = co_await writable.Wait(); !waited.ok()) co_return waited;
  }
  co_return absl::OkStatus();
}

void MessageStream::SetPaused(bool paused) {
  paused_ = paused;
  if (!paused) SchedulePump(0ns);
}

void MessageStream::CreditReturned(size_t bytes) {
  unhandled_bytes_ -= bytes;
  SchedulePump(0ns);
}

void MessageStream::SchedulePump(Duration delay) {
  if (pump_scheduled_ || queue_.empty()) return;
  pump_scheduled_ = true;
  wire_.scheduler().After(delay, [weak = weak_from_this()] {
    const auto stream = weak.lock();
    if (stream == nullptr) return;
    stream->pump_scheduled_ = false;
    stream->Pump();
  });
}

void MessageStream::Pump() {
  if (paused_) return;
  size_t bytes = 0;
  Batch batch = TakeBatch(&bytes);
  if (bytes == 0) return;
  const Duration transmission =
      from_ == to_ ? 0ns : wire_.links().TransmissionTime(from_, to_, bytes);
  if (from_ != to_) batch = DrawFaults(std::move(batch));
  if (!batch.empty()) SendBatch(std::move(batch), bytes, transmission);
  SchedulePump(transmission);
  if (!HalfFree()) return;
  std::vector<Completion<bool>> writable = std::move(writable_);
  writable_.clear();
  for (const Completion<bool>& waiting : writable) waiting.Set(true);
}

MessageStream::Batch MessageStream::TakeBatch(size_t* bytes) {
  Batch batch;
  while (!queue_.empty() && unhandled_bytes_ < limits_.window_bytes_max) {
    OneWayMessage message = std::move(queue_.front());
    queue_.pop_front();
    const size_t size = SizeOf(message);
    queued_bytes_ -= size;
    unhandled_bytes_ += size;
    *bytes += size;
    message.credit = WindowCredit(weak_from_this(), size);
    batch.push_back(std::move(message));
  }
  return batch;
}

MessageStream::Batch MessageStream::DrawFaults(Batch batch) {
  const LinkFaults& faults = wire_.link(from_, to_);
  runtime::Random& random = wire_.links().random();
  Batch in_order;
  for (OneWayMessage& message : batch) {
    if (random.Chance(faults.loss)) {
      RecordMessage(Happened::kDropped, message);
      continue;
    }
    if (random.Chance(faults.duplication)) {
      SendStraggler({message.kind, message.payload, {}});
    }
    if (random.Chance(faults.reordering)) {
      SendStraggler(std::move(message));
    } else {
      in_order.push_back(std::move(message));
    }
  }
  return in_order;
}

void MessageStream::SendBatch(Batch batch, size_t bytes, Duration transmission) {
  if (wire_.recorder().tracing()) {
    wire_.recorder().Trace(
        from_, absl::StrCat("batch of ", batch.size(), " to n", to_.value(), " ", bytes, "B"));
  }
  last_arrival_ = wire_.Transmit(
      {from_, to_, transmission, last_arrival_ + 1ns, /*draw_loss=*/false},
      [from = from_, stamp = stamp_(), batch = std::move(batch)](SimulatedNetwork& peer) mutable {
        peer.BatchArrived(from, stamp, std::move(batch));
      },
      [](Wire::Fate) {});
}

void MessageStream::SendStraggler(OneWayMessage message) {
  const Duration late = wire_.links().random().Uniform(0ns, wire_.link(from_, to_).straggle_max);
  Batch batch;
  batch.push_back(std::move(message));
  wire_.Transmit(
      {from_, to_, late, MonotonicTime::Min(), /*draw_loss=*/false},
      [from = from_, stamp = stamp_(), batch = std::move(batch)](SimulatedNetwork& peer) mutable {
        peer.BatchArrived(from, stamp, std::move(batch));
      },
      [](Wire::Fate) {});
}

void MessageStream::RecordMessage(Happened what, const OneWayMessage& message) {
  Recorder& recorder = wire_.recorder();
  recorder.Fold(what, uint64_t{from_.value()} << 32 | to_.value(),
                Mix(message.kind.value(), HashBytes(message.payload)));
  if (!recorder.tracing()) return;
  recorder.Trace(
      from_, absl::StrCat(what == Happened::kSent ? "send" : "lost", " kind=", message.kind.value(),
                          " to n", to_.value(), " ", message.payload.size(), "B"));
}

}  // namespace simulated
