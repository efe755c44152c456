#include "runtime/real/message_sender.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/real/hand_over.h"
#include "runtime/real/peer.pb.h"
#include "runtime/real/shared_call.h"
#include "runtime/real/tls_errors.h"

namespace real {
namespace {

using runtime::Duration;
using runtime::MonotonicTime;

constexpr Duration kRetryDelayMin = std::chrono::milliseconds(20);
constexpr Duration kRetryDelayMax = std::chrono::seconds(1);

// What a queued message or request costs beyond its payload: its place in the queue and on the wire.
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
    StartRead(&read_);
    StartCall();
  }

  void Write(std::vector<Queued> queued) {
    isochron::runtime::Batch batch;
    batch.set_sender(shared_->self.value());
    Encode(shared_->stamps->Now(), batch.mutable_stamp());
    const MonotonicTime now = sender_->loop_->Now();
    for (Queued& one : queued) {
      if (auto* message = std::get_if<OneWay>(&one)) {
        isochron::runtime::Message* const written = batch.add_messages();
        written->set_kind(message->kind.value());
        written->set_payload(std::move(message->payload));
      } else if (auto* call = std::get_if<std::shared_ptr<SharedCall>>(&one)) {
        isochron::runtime::Request* const written = batch.add_requests();
        written->set_call((*call)->number);
        written->set_method((*call)->method);
        written->set_payload((*call)->request);
        written->set_timeout(((*call)->deadline - now).count());
      } else {
        batch.add_cancelled(std::get<CancelledCall>(one).number);
      }
    }
    written_ = ToByteBuffer(batch);
    shared_->metrics->messages_sent.Add(static_cast<double>(batch.messages_size()));
    shared_->metrics->CountBatch(written_.Length());
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
  void OnReadDone(bool ok) override {
    hand_over_.Take();
    if (!ok) return sender_->Broken(this);
    isochron::runtime::Batch replies;
    if (!replies.ParseFromString(ToString(read_))) context_.TryCancel();
    sender_->Replied(&replies);
    hand_over_.Give();
    StartRead(&read_);
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
  grpc::ByteBuffer read_;
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
      peer_(target->peer),
      budget_(shared->queue_bytes_max),
      target_(std::move(target)),
      retry_timer_(std::make_unique<RetryTimer>(this)) {}

MessageSender::~MessageSender() = default;

size_t MessageSender::Cost(const Queued& queued) {
  if (const auto* message = std::get_if<OneWay>(&queued)) {
    return message->payload.size() + kMessageOverhead;
  }
  if (const auto* call = std::get_if<std::shared_ptr<SharedCall>>(&queued)) {
    return (*call)->method.size() + (*call)->request.size() + kMessageOverhead;
  }
  return kMessageOverhead;
}

absl::Status MessageSender::Send(runtime::MessageKind kind, std::string payload) {
  const size_t bytes = payload.size();
  Queued queued = OneWay{kind, std::move(payload)};
  if (const size_t cost = Cost(queued); cost > kWireBytesMax || !budget_.TryTake(cost)) {
    shared_->calls->metrics->messages_refused.Add();
    return DoesNotFit("message", bytes);
  }
  Next next;
  {
    MutexLock lock(&mutex_);
    next = Push(std::move(queued));
  }
  Proceed(std::move(next));
  return absl::OkStatus();
}

void MessageSender::Call(std::shared_ptr<SharedCall> call) {
  const size_t cost = Cost(call);
  if (!budget_.TryTake(cost)) {
    call->result = DoesNotFit("request", call->request.size());
    return EndCalls({std::move(call)});
  }
  Next next;
  absl::Status refusal;
  {
    MutexLock lock(&mutex_);
    refusal = RefusalOfCalls();
    if (refusal.ok()) {
      call->number = ++calls_made_;
      calls_.emplace(call->number, PendingCall{call});
      next = Push(call);
    }
  }
  if (refusal.ok()) return Proceed(std::move(next));
  budget_.Give(cost);
  call->result = std::move(refusal);
  EndCalls({std::move(call)});
}

void MessageSender::Abandon(const SharedCall& call) {
  Next next;
  {
    MutexLock lock(&mutex_);
    const auto found = calls_.find(call.number);
    if (found == calls_.end()) return;
    const bool sent = found->second.sent;
    calls_.erase(found);
    // Without room the handler's own deadline must do.
    if (sent && connected_ && budget_.TryTake(kMessageOverhead)) {
      next = Push(CancelledCall{call.number});
    }
  }
  Count(call, /*ok=*/false);
  Proceed(std::move(next));
}

absl::Status MessageSender::DoesNotFit(const char* what, size_t bytes) const {
  return absl::ResourceExhaustedError(absl::StrCat("a ", what, " of ", bytes,
                                                   " bytes does not fit: ", budget_.bytes_max(),
                                                   " bytes may wait for one peer"));
}

absl::Status MessageSender::RefusalOfCalls() {
  if (shut_down_) return absl::UnavailableError("the network of this node has ended");
  if (waiting_ && !unreachable_.empty()) return absl::UnavailableError(unreachable_);
  return absl::OkStatus();
}

MessageSender::Next MessageSender::Push(Queued queued) {
  const bool may_wait = !std::holds_alternative<OneWay>(queued);
  queue_.push_back(std::move(queued));
  Next next;
  if (may_wait && connected_ && !writing_) {
    if (!std::exchange(write_posted_, true)) next.write_later = &Loop::Current();
    return next;
  }
  if (TakeBatch(&next.batch)) next.write = stream_;
  next.connect = stream_ == nullptr && !waiting_;
  return next;
}

void MessageSender::Proceed(Next next) {
  // The stream stays while writing_ is set, which only Written() undoes.
  if (next.write != nullptr) next.write->Write(std::move(next.batch));
  if (next.connect) Connect();
  if (next.write_later != nullptr) {
    next.write_later->Post([self = shared_from_this()] { self->WriteNow(); });
  }
}

void MessageSender::WriteNow() {
  Next next;
  {
    MutexLock lock(&mutex_);
    write_posted_ = false;
    if (TakeBatch(&next.batch)) next.write = stream_;
  }
  Proceed(std::move(next));
}

void MessageSender::Replied(isochron::runtime::Batch* replies) {
  Calls answered;
  MonotonicTime started = MonotonicTime(0);
  {
    MutexLock lock(&mutex_);
    for (isochron::runtime::Reply& reply : *replies->mutable_replies()) {
      const auto found = calls_.find(reply.call());
      if (found == calls_.end()) continue;  // Abandoned.
      std::shared_ptr<SharedCall> call = std::move(found->second.call);
      calls_.erase(found);
      if (reply.code() == 0) {
        call->result = std::move(*reply.mutable_payload());
      } else {
        call->result = absl::Status(static_cast<absl::StatusCode>(reply.code()), reply.payload());
      }
      started = std::max(started, call->started);
      answered.push_back(std::move(call));
    }
  }
  // The peer read its clock when it had all these requests, so after the last of them was made.
  std::optional<Duration> age_max;
  if (!answered.empty()) age_max = shared_->calls->clocks->Raw() - started;
  shared_->calls->stamps->Observe(runtime::NodeId(replies->sender()), Decode(replies->stamp()),
                                  age_max);
  EndCalls(std::move(answered));
}

MessageSender::Calls MessageSender::TakeLost(bool all, size_t* freed) {
  Calls lost;
  for (auto one = calls_.begin(); one != calls_.end();) {
    // A request that no stream has taken can wait for the next one.
    if (!all && !one->second.sent) {
      ++one;
      continue;
    }
    lost.push_back(std::move(one->second.call));
    one = calls_.erase(one);
  }
  std::deque<Queued> kept;
  for (Queued& queued : queue_) {
    if (IsOver(queued)) {
      *freed += Cost(queued);
    } else {
      kept.push_back(std::move(queued));
    }
  }
  queue_.swap(kept);
  return lost;
}

bool MessageSender::IsOver(const Queued& queued) const {
  const auto* const call = std::get_if<std::shared_ptr<SharedCall>>(&queued);
  return call != nullptr && !calls_.contains((*call)->number);
}

void MessageSender::EndCalls(Calls calls) {
  std::vector<std::shared_ptr<RemoteWaiter::Link>> links;
  links.reserve(calls.size());
  for (const std::shared_ptr<SharedCall>& call : calls) {
    Count(*call, call->result.ok());
    links.push_back(std::move(call->link));
  }
  RemoteWaiter::WakeAllRemotely(std::move(links));
}

void MessageSender::Count(const SharedCall& call, bool ok) {
  NetworkMetrics& metrics = *shared_->calls->metrics;
  metrics.calls.Add();
  if (!ok) metrics.calls_failed.Add();
  metrics.call_latency.Record(shared_->calls->clocks->Raw() - call.started);
}

void MessageSender::Redirect(std::shared_ptr<const ClientCallTarget> target) {
  MutexLock lock(&mutex_);
  target_ = std::move(target);
  unreachable_.clear();
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
    Queued& queued = queue_.front();
    const size_t cost = Cost(queued);
    if (in_flight_bytes_ > 0 && in_flight_bytes_ + cost > shared_->batch_bytes_max) break;
    in_flight_bytes_ += cost;
    // What is over goes with the batch as far as the budget is concerned.
    if (!IsOver(queued)) {
      if (const auto* call = std::get_if<std::shared_ptr<SharedCall>>(&queued)) {
        calls_.find((*call)->number)->second.sent = true;
      }
      batch->push_back(std::move(queued));
    }
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
    unreachable_.clear();
    write = TakeBatch(&batch);
  }
  shared_->calls->metrics->peers_connected.Add(1);
  shared_->log->Write(runtime::Severity::kInfo, "network.connected",
                      {{"peer", target.peer.value()}, {"address", target.address}});
  if (write) stream->Write(std::move(batch));
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
  if (write) stream->Write(std::move(batch));
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
  const ClientCallTarget& target = stream->target();
  const std::string explained = ExplainConnectionError(reason.message(), target.tls);
  const std::string lost =
      absl::StrCat("node ", peer_.value(), " at ", target.address, ": ", explained);
  bool was_connected = false;
  bool shut_down = false;
  int failures = 0;
  Calls calls;
  size_t freed = 0;
  {
    MutexLock lock(&mutex_);
    was_connected = stream->was_connected;
    stream_ = nullptr;
    failures = ++failures_;
    waiting_ = true;
    shut_down = shut_down_;
    // Another address than this one was not tried yet.
    const bool unreached = !was_connected && target_.get() == &target;
    if (unreached) unreachable_ = lost;
    calls = TakeLost(/*all=*/unreached || shut_down, &freed);
  }
  budget_.Give(freed);
  for (const std::shared_ptr<SharedCall>& call : calls) call->result = absl::UnavailableError(lost);
  EndCalls(std::move(calls));
  if (was_connected) shared_->calls->metrics->peers_connected.Add(-1);
  if (shut_down) return;
  // Further attempts that fail change nothing that was not said.
  if (was_connected || failures == 1) {
    shared_->log->Write(
        runtime::Severity::kWarning, "network.disconnected",
        {{"peer", peer_.value()}, {"address", target.address}, {"reason", explained}});
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
