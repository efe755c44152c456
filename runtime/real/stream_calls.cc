#include "runtime/real/stream_calls.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/real/by_loop.h"
#include "runtime/real/wire.h"

namespace real {
namespace {

// What a reply costs beyond its payload, in the queue and on the wire.
constexpr size_t kReplyOverhead = 64;

absl::Status CallerGone() {
  return absl::CancelledError("the caller cancelled the call or is gone");
}

}  // namespace

size_t StreamCalls::Cost(const Reply& reply) { return kReplyOverhead + reply.payload.size(); }

void StreamCalls::Begin(runtime::NodeId caller, std::vector<Request> requests,
                        const std::shared_ptr<void>& done) {
  ByLoop<std::shared_ptr<ServedCall>> by_loop;
  for (Request& request : requests) {
    std::shared_ptr<ServedCall> call = Accept(caller, std::move(request));
    if (call == nullptr) continue;
    Loop* const loop = call->loop();
    by_loop.Add(loop, std::move(call));
  }
  for (auto& [loop, calls] : by_loop) ServedCall::BeginAll(loop, std::move(calls), done);
}

std::shared_ptr<ServedCall> StreamCalls::Accept(runtime::NodeId caller, Request request) {
  const uint64_t number = request.call;
  std::shared_ptr<ServedMethod> method = serving_->methods->Find(request.method);
  if (method == nullptr) {
    Answer(number, NotServed(serving_->self, request.method), /*has_slot=*/false);
    return nullptr;
  }
  if (absl::Status refusal = serving_->slots->Take(); !refusal.ok()) {
    Answer(number, std::move(refusal), /*has_slot=*/false);
    return nullptr;
  }
  serving_->metrics->calls_served.Add();
  Loop* const loop = method->loop();
  auto call = std::make_shared<ServedCall>(
      std::move(method), caller, std::move(request.payload), loop->Now() + request.timeout,
      [self = shared_from_this(), number](absl::StatusOr<std::string> result) {
        self->Answer(number, std::move(result), /*has_slot=*/true);
      });
  bool known = false;
  {
    MutexLock lock(&mutex_);
    known = !closed_ && calls_.emplace(number, UnderWay{loop, call}).second;
  }
  // Otherwise its destructor answers, which gives the slot back.
  return known ? call : nullptr;
}

void StreamCalls::Answer(uint64_t call, absl::StatusOr<std::string> result, bool has_slot) {
  if (result.ok() && result->size() + kReplyOverhead > kWireBytesMax) {
    result = absl::ResourceExhaustedError(absl::StrCat("the reply of ", result->size(),
                                                       " bytes is longer than the ", kWireBytesMax,
                                                       " that one may have"));
  }
  Reply reply{call, result.status().code(), {}, has_slot};
  reply.payload = result.ok() ? *std::move(result) : std::string(result.status().message());
  // What else the loop has ready may be more replies.
  runtime::Executor* const here = runtime::Executor::CurrentOrNull();
  std::vector<Reply> batch;
  bool dropped = false;
  bool later = false;
  {
    MutexLock lock(&mutex_);
    calls_.erase(call);
    dropped = closed_;
    if (!dropped) {
      waiting_bytes_ += Cost(reply);
      queue_.push_back(std::move(reply));
      if (here == nullptr) {
        batch = TakeBatch();
      } else if (!writing_) {
        later = !std::exchange(write_posted_, true);
      }
    }
  }
  if (dropped && has_slot) serving_->slots->Give();
  if (later) here->Post([self = shared_from_this()] { self->WriteNow(); });
  // The writer stays while writing_ is set, which only Written() undoes.
  if (!batch.empty()) writer_->Write(std::move(batch));
}

void StreamCalls::WriteNow() {
  std::vector<Reply> batch;
  {
    MutexLock lock(&mutex_);
    write_posted_ = false;
    batch = TakeBatch();
  }
  if (!batch.empty()) writer_->Write(std::move(batch));
}

std::vector<StreamCalls::Reply> StreamCalls::TakeBatch() {
  std::vector<Reply> batch;
  if (writing_ || closed_) return batch;
  while (!queue_.empty()) {
    const size_t cost = Cost(queue_.front());
    if (!batch.empty() && in_flight_bytes_ + cost > serving_->batch_bytes_max) break;
    in_flight_bytes_ += cost;
    in_flight_slots_ += queue_.front().has_slot ? 1 : 0;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  writing_ = !batch.empty();
  return batch;
}

void StreamCalls::Cancel(const std::vector<uint64_t>& calls) {
  std::vector<UnderWay> cancelled;
  {
    MutexLock lock(&mutex_);
    for (const uint64_t number : calls) {
      if (const auto found = calls_.find(number); found != calls_.end()) {
        cancelled.push_back(found->second);
      }
    }
  }
  for (UnderWay& one : cancelled) {
    ServedCall::CancelLater(one.loop, std::move(one.call), CallerGone());
  }
}

bool StreamCalls::Close(bool finish) {
  absl::btree_map<uint64_t, UnderWay> cancelled;
  std::deque<Reply> dropped;
  bool may_finish = false;
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    finishing_ = finishing_ || finish;
    may_finish = finish && !writing_;
    cancelled.swap(calls_);
    dropped.swap(queue_);
    waiting_bytes_ = in_flight_bytes_;
  }
  for (auto& [number, one] : cancelled) {
    ServedCall::CancelLater(one.loop, std::move(one.call), CallerGone());
  }
  for (const Reply& reply : dropped) {
    if (reply.has_slot) serving_->slots->Give();
  }
  return may_finish;
}

bool StreamCalls::MayRead() {
  MutexLock lock(&mutex_);
  read_held_ = writing_ && !closed_ && waiting_bytes_ > serving_->queue_bytes_max;
  return !read_held_;
}

StreamCalls::Next StreamCalls::Written(bool ok) {
  Next next;
  int slots = 0;
  {
    MutexLock lock(&mutex_);
    writing_ = false;
    waiting_bytes_ -= std::exchange(in_flight_bytes_, 0);
    slots = std::exchange(in_flight_slots_, 0);
    // A failed write means a broken stream, which the read will tell.
    if (ok) next.replies = TakeBatch();
    if (!writing_ || waiting_bytes_ <= serving_->queue_bytes_max) {
      next.read = std::exchange(read_held_, false);
    }
    next.finish = finishing_;
  }
  serving_->slots->Give(slots);
  return next;
}

}  // namespace real
