// StreamCalls: the calls of the shared lane that came on one stream of a peer, from their requests
// to their replies, which go back on that stream.
//
// Place:       a ServedStream has one, and each of its calls keeps it, since a handler may end after
//              the stream has.
// Replies:     in batches: what gathers while the last batch is being written goes in the next.
// End:         when the stream breaks (Close) the handlers are cancelled, and what they answer is
//              dropped: the caller has ended its calls.
// Bound:       a call holds a slot until its reply was written or dropped; and while too many bytes
//              of replies wait, the stream is not read (MayRead).
// Concurrency: any thread. `mutex_` guards all; neither gRPC nor a loop is called under it.
#ifndef RUNTIME_REAL_STREAM_CALLS_H_
#define RUNTIME_REAL_STREAM_CALLS_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "runtime/real/mutex.h"
#include "runtime/real/served_method.h"
#include "runtime/real/serving.h"

namespace real {

class StreamCalls final : public std::enable_shared_from_this<StreamCalls> {
 public:
  struct Request {
    uint64_t call;
    std::string method;
    std::string payload;
    runtime::Duration timeout;
  };
  // An error is its code and its sentence, since Abseil shares one status among its copies.
  struct Reply {
    uint64_t call;
    absl::StatusCode code;
    std::string payload;
    bool has_slot;
  };

  // Takes replies to the peer, one batch at a time: Written() when it is done with one.
  class Writer {
   public:
    virtual void Write(std::vector<Reply> replies) = 0;

   protected:
    ~Writer() = default;
  };

  // `writer` is called until Close(), and is there until the batch that it then has is written.
  StreamCalls(const Serving* serving, Writer* writer) : serving_(serving), writer_(writer) {}

  // Runs the requests' handlers. `done` is destroyed when all of them have begun.
  void Begin(runtime::NodeId caller, std::vector<Request> requests,
             const std::shared_ptr<void>& done);
  // The caller does not wait for these any more.
  void Cancel(const std::vector<uint64_t>& calls);

  // The stream is broken. With `finish` it is also not read any more, and the result says whether it
  // may be finished now; if not, Written() will say so.
  bool Close(bool finish);

  // Whether more may be read now; if not, Written() will say when.
  bool MayRead();

  // What the stream does after a batch was written.
  struct Next {
    std::vector<Reply> replies;  // To write, if there are any.
    bool read = false;
    bool finish = false;
  };
  Next Written(bool ok);

 private:
  struct UnderWay {
    Loop* loop;
    std::weak_ptr<ServedCall> call;
  };

  static size_t Cost(const Reply& reply);
  // The call, known to Cancel(); or null, with an answer on its way.
  std::shared_ptr<ServedCall> Accept(runtime::NodeId caller, Request request);
  void Answer(uint64_t call, absl::StatusOr<std::string> result, bool has_slot);
  void WriteNow();
  // Takes the next batch to write, if the stream is free.
  std::vector<Reply> TakeBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Serving* const serving_;
  Writer* const writer_;

  Mutex mutex_;
  absl::btree_map<uint64_t, UnderWay> calls_ ABSL_GUARDED_BY(mutex_);
  std::deque<Reply> queue_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // In queue_ and in flight.
  size_t in_flight_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int in_flight_slots_ ABSL_GUARDED_BY(mutex_) = 0;
  bool write_posted_ ABSL_GUARDED_BY(mutex_) = false;  // WriteNow() stands in a loop's queue.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_held_ ABSL_GUARDED_BY(mutex_) = false;  // Only while writing_.
};

}  // namespace real

#endif  // RUNTIME_REAL_STREAM_CALLS_H_
