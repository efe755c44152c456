#include "runtime/real/served_stream.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/real/peer.pb.h"
#include "runtime/real/wire.h"

namespace real {
namespace {

// So that a deadline is a time, whatever the peer says.
constexpr runtime::Duration kTimeoutMax = std::chrono::hours(24 * 365);

}  // namespace

// When the last handler lets go of it, the next batch is read.
struct ServedStream::BatchUnderWay {
  explicit BatchUnderWay(ServedStream* reading) : stream(reading) {}
  BatchUnderWay(const BatchUnderWay&) = delete;
  BatchUnderWay& operator=(const BatchUnderWay&) = delete;
  ~BatchUnderWay() {
    if (stream->calls_->MayRead()) stream->ReadOn();
  }
  ServedStream* const stream;
};

ServedStream::ServedStream(const Serving* serving, HandOver* end)
    : serving_(serving),
      end_(end),
      calls_(std::make_shared<StreamCalls>(serving, static_cast<StreamCalls::Writer*>(this))) {
  hand_over_.Give();
  StartSendInitialMetadata();  // Tells the sender that it is connected.
  StartRead(&read_);
}

void ServedStream::ReadOn() {
  hand_over_.Give();
  StartRead(&read_);
}

void ServedStream::OnReadDone(bool ok) {
  hand_over_.Take();
  if (!ok) return End(grpc::Status::OK);
  isochron::runtime::Batch batch;
  if (!batch.ParseFromString(ToString(read_))) {
    return End(grpc::Status(grpc::INVALID_ARGUMENT, "what came is not a Batch"));
  }
  const runtime::NodeId sender(batch.sender());
  serving_->stamps->Observe(sender, Decode(batch.stamp()), std::nullopt);
  std::vector<IncomingMessage> messages;
  messages.reserve(static_cast<size_t>(batch.messages_size()));
  for (isochron::runtime::Message& message : *batch.mutable_messages()) {
    messages.push_back(
        {runtime::MessageKind(message.kind()), std::move(*message.mutable_payload())});
  }
  std::vector<StreamCalls::Request> requests;
  requests.reserve(static_cast<size_t>(batch.requests_size()));
  for (isochron::runtime::Request& request : *batch.mutable_requests()) {
    requests.push_back(
        {request.call(), std::move(*request.mutable_method()),
         std::move(*request.mutable_payload()),
         std::clamp(runtime::Duration(request.timeout()), runtime::Duration::zero(), kTimeoutMax)});
  }
  const std::shared_ptr<StreamCalls> calls = calls_;
  // The stream lives as long as it is not read, and so as long as this.
  const auto done = std::make_shared<BatchUnderWay>(this);
  if (!messages.empty()) {
    serving_->messages->Dispatch(sender, std::move(messages), done, &Loop::Deliver);
  }
  if (!requests.empty()) calls->Begin(sender, std::move(requests), done);
  if (batch.cancelled_size() > 0) {
    calls->Cancel({batch.cancelled().begin(), batch.cancelled().end()});
  }
}

void ServedStream::Write(std::vector<StreamCalls::Reply> replies) {
  isochron::runtime::Batch batch;
  batch.set_sender(serving_->self.value());
  Encode(serving_->stamps->Now(), batch.mutable_stamp());
  for (StreamCalls::Reply& reply : replies) {
    isochron::runtime::Reply* const written = batch.add_replies();
    written->set_call(reply.call);
    written->set_code(static_cast<int>(reply.code));
    written->set_payload(std::move(reply.payload));
  }
  written_ = ToByteBuffer(batch);
  serving_->metrics->CountBatch(written_.Length());
  hand_over_.Give();
  StartWrite(&written_);
}

void ServedStream::OnWriteDone(bool ok) {
  hand_over_.Take();
  StreamCalls::Next next = calls_->Written(ok);
  hand_over_.Give();
  if (next.finish) return Finish(status_);
  if (!next.replies.empty()) Write(std::move(next.replies));
  if (next.read) ReadOn();
}

void ServedStream::OnCancel() {
  hand_over_.Take();
  calls_->Close(/*finish=*/false);
  hand_over_.Give();  // The end waits for this, too.
}

void ServedStream::OnDone() {
  hand_over_.Take();
  delete this;
}

void ServedStream::End(grpc::Status status) {
  status_ = std::move(status);
  const bool now = calls_->Close(/*finish=*/true);
  hand_over_.Give();
  if (now) Finish(status_);
}

}  // namespace real
