#include "runtime/real/message_sender.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/peer.pb.h"
#include "runtime/real/tls_errors.h"

namespace real {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;

constexpr Duration kRetryDelayMin = std::chrono::milliseconds(20);
constexpr Duration kRetryDelayMax = std::chrono::seconds(1);

// What a queued message costs beyond its payload: its place in the queue and on the wire.
constexpr size_t kMessageOverhead = 64;

// The delay before attempt number `failures` + 1, before jitter.
Duration RetryDelay(int failures) {
  Duration delay = kRetryDelayMin;
  for (int i = 1; i < failures && delay < kRetryDelayMax; ++i) delay *= 2;
  return std::min(delay, kRetryDelayMax);
}

}  // namespace

// One attempt: a stream to the peer, as long as it lasts. Deletes itself when gRPC is done with it.
class MessageSender::Stream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(std::shared_ptr<MessageSender> sender, std::shared_ptr<const ClientCallTarget> target)
      : sender_(std::move(sender)),
        shared_(sender_->shared_->calls),
        target_(std::move(target)),
        outstanding_(shared_->outstanding) {
    outstanding_->Begin();
  }

  void Start() {
    context_.AddMetadata(kSenderKey, EncodeSender({shared_->self, shared_->stamps->Now()}));
    grpc::GenericStub(target_->channel)
        .PrepareBidiStreamingCall(&context_, kMessagesMethod, grpc::StubOptions(), this);
    // Writes come from threads that gRPC does not know of: until RemoveHold() it must not end.
    AddHold();
    hand_over_.Give();
    // Nothing will come, but the end of the stream ends the read.
    StartRead(&ignored_);
    StartCall();
  }

  void Write(const std::vector<Queued>& messages) {
    isochron::runtime::Batch batch;
    batch.set_sender(shared_->self.value());
    const runtime::ClockStamp stamp = shared_->stamps->Now();
    batch.mutable_stamp()->set_earliest(stamp.earliest.nanoseconds());
    batch.mutable_stamp()->set_latest(stamp.latest.nanoseconds());
    for (const Queued& queued : messages) {
      isochron::runtime::Message* message = batch.add_messages();
      message->set_kind(queued.kind.value());
      message->set_payload(queued.payload);
    }
    written_ = ToByteBuffer(batch);
    shared_->metrics->messages_sent.Add(static_cast<double>(messages.size()));
    shared_->metrics->batches_sent.Add();
    shared_->metrics->batch_bytes_sent.Add(static_cast<double>(written_.Length()));
    hand_over_.Give();
    StartWrite(&written_);
  }

  void Release() {
    hand_over_.Give();
    RemoveHold();
  }

  void TryCancel() { context_.TryCancel(); }

  const ClientCallTarget& target() const { return *target_; }

  // Under the sender's mutex:
  bool was_connected = false;
  bool broken = false;

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    hand_over_.Take();
    if (ok) sender_->Connected(this);
  }
  void OnReadDone(bool) override {
    hand_over_.Take();
    sender_->Broken(this);
  }
  void OnWriteDone(bool ok) override {
    hand_over_.Take();
    sender_->Written(this, ok);
  }
  void OnDone(const grpc::Status& status) override {
    hand_over_.Take();
    sender_->Ended(
        this, status.ok() ? absl::UnavailableError("the peer closed the stream") : ToAbsl(status));
    Outstanding* const outstanding = outstanding_;
    delete this;
    outstanding->End();
  }

  const std::shared_ptr<MessageSender> sender_;
  const ClientCallContext* const shared_;
  const std::shared_ptr<const ClientCallTarget> target_;
  Outstanding* const outstanding_;
  HandOver hand_over_;
  grpc::ClientContext context_;
  grpc::ByteBuffer written_;
  grpc::ByteBuffer ignored_;
};

class MessageSender::RetryTimer final : public runtime::Timer {
 public:
  explicit RetryTimer(MessageSender* sender) : sender_(sender) {}

 private:
  void Fire() override {
    {
      MutexLock lock(&sender_->mutex_);
      sender_->waiting_ = false;
    }
    sender_->Connect();
  }

  MessageSender* const sender_;
};

MessageSender::MessageSender(const MessageSenderContext* shared, Loop* loop,
                             std::shared_ptr<const ClientCallTarget> target)
    : shared_(shared),
      loop_(loop),
      budget_(shared->queue_bytes_max),
      target_(std::move(target)),
      retry_timer_(std::make_unique<RetryTimer>(this)) {}

MessageSender::~MessageSender() = default;

size_t MessageSender::Cost(const std::string& payload) { return payload.size() + kMessageOverhead; }

absl::Status MessageSender::Send(runtime::MessageKind kind, std::string payload) {
  const size_t cost = Cost(payload);
  if (cost > kWireBytesMax || !budget_.TryTake(cost)) {
    shared_->calls->metrics->messages_refused.Add();
    return absl::ResourceExhaustedError(absl::StrCat("a message of ", payload.size(),
                                                     " bytes does not fit: ", budget_.bytes_max(),
                                                     " bytes may wait for one peer"));
  }
  std::vector<Queued> batch;
  Stream* stream = nullptr;
  bool connect = false;
  {
    MutexLock lock(&mutex_);
    queue_.push_back({kind, std::move(payload)});
    if (TakeBatch(&batch)) stream = stream_;
    connect = stream_ == nullptr && !waiting_;
  }
  // The stream stays while writing_ is set, which only Written() undoes.
  if (stream != nullptr) stream->Write(batch);
  if (connect) Connect();
  return absl::OkStatus();
}

void MessageSender::Redirect(std::shared_ptr<const ClientCallTarget> target) {
  MutexLock lock(&mutex_);
  target_ = std::move(target);
  if (stream_ != nullptr) stream_->TryCancel();
}

void MessageSender::Shutdown() {
  MutexLock lock(&mutex_);
  shut_down_ = true;
  if (stream_ != nullptr) stream_->TryCancel();
}

bool MessageSender::TakeBatch(std::vector<Queued>* batch) {
  if (!connected_ || writing_ || queue_.empty()) return false;
  in_flight_bytes_ = 0;
  while (!queue_.empty()) {
    const size_t cost = Cost(queue_.front().payload);
    if (!batch->empty() && in_flight_bytes_ + cost > shared_->batch_bytes_max) break;
    in_flight_bytes_ += cost;
    batch->push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  writing_ = true;
  return true;
}

void MessageSender::Connect() {
  Stream* stream = nullptr;
  {
    MutexLock lock(&mutex_);
    if (shut_down_ || waiting_ || stream_ != nullptr) return;
    stream = stream_ = new Stream(shared_from_this(), target_);
  }
  stream->Start();
}

void MessageSender::Connected(Stream* stream) {
  const ClientCallTarget target = stream->target();
  std::vector<Queued> batch;
  bool write = false;
  {
    MutexLock lock(&mutex_);
    if (stream->broken) return;
    stream->was_connected = connected_ = true;
    failures_ = 0;
    write = TakeBatch(&batch);
  }
  shared_->calls->metrics->peers_connected.Add(1);
  shared_->log->Write(runtime::Severity::kInfo, "network.connected",
                      {{"peer", target.peer.value()}, {"address", target.address}});
  if (write) stream->Write(batch);
}

void MessageSender::Written(Stream* stream, bool ok) {
  std::vector<Queued> batch;
  size_t freed = 0;
  bool write = false;
  bool release = false;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    freed = std::exchange(in_flight_bytes_, 0);
    // A failed write means a broken stream, which the read will tell.
    if (ok) write = TakeBatch(&batch);
    release = !write && stream->broken;
  }
  if (write) stream->Write(batch);
  budget_.Give(freed);
  if (release) stream->Release();
}

void MessageSender::Broken(Stream* stream) {
  {
    MutexLock lock(&mutex_);
    connected_ = false;
    stream->broken = true;
    if (writing_) return;  // Written() will see it.
  }
  stream->Release();
}

void MessageSender::Ended(Stream* stream, absl::Status reason) {
  bool was_connected = false;
  int failures = 0;
  {
    MutexLock lock(&mutex_);
    was_connected = stream->was_connected;
    stream_ = nullptr;
    failures = ++failures_;
    waiting_ = true;
    if (shut_down_) reason = absl::OkStatus();
  }
  if (was_connected) shared_->calls->metrics->peers_connected.Add(-1);
  if (reason.ok()) return;
  // Further attempts that fail change nothing that was not said.
  if (was_connected || failures == 1) {
    shared_->log->Write(
        runtime::Severity::kWarning, "network.disconnected",
        {{"peer", stream->target().peer.value()},
         {"address", stream->target().address},
         {"reason", ExplainConnectionError(reason.message(), stream->target().tls)}});
  }
  RetryLater(RetryDelay(failures));
}

void MessageSender::RetryLater(Duration delay) {
  loop_->Post([self = shared_from_this(), delay] {
    const Duration drawn = self->loop_->random().Uniform(delay / 2, delay);
    self->loop_->StartTimer(*self->retry_timer_, self->loop_->Now() + drawn);
  });
}

}  // namespace real
