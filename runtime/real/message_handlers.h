// MessageHandlers: who takes one-way messages of which kind, and the way there.
//
// Any thread, except that handlers are called, and closed, on the loop they were registered with.
#ifndef RUNTIME_REAL_MESSAGE_HANDLERS_H_
#define RUNTIME_REAL_MESSAGE_HANDLERS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "runtime/network.h"
#include "runtime/real/loop.h"
#include "runtime/real/mutex.h"
#include "runtime/real/network_metrics.h"

namespace real {

struct IncomingMessage {
  runtime::MessageKind kind;
  std::string payload;
};

class MessageHandlers {
 public:
  explicit MessageHandlers(NetworkMetrics* metrics) : metrics_(metrics) {}

  // CHECKs that `kind` has no handler.
  void Add(runtime::MessageKind kind, Loop* loop, runtime::Network::MessageHandler handler);
  // On the handler's loop: it is not called any more.
  void Remove(runtime::MessageKind kind);

  // Hands each message to its handler, in order for each loop: by `hand` (Loop::Post, or
  // Loop::Deliver where the caller may run handlers itself). `done` is destroyed when all of them
  // have run, or were dropped because their loop has stopped.
  void Dispatch(runtime::NodeId sender, std::vector<IncomingMessage> messages,
                std::shared_ptr<void> done, void (Loop::*hand)(Loop::Work));

 private:
  struct Handler {
    Loop* const loop;
    const runtime::Network::MessageHandler handle;
    bool closed = false;  // The loop's.
  };
  struct Handed {
    std::shared_ptr<Handler> handler;
    std::string payload;
  };

  NetworkMetrics* const metrics_;
  Mutex mutex_;
  absl::flat_hash_map<runtime::MessageKind, std::shared_ptr<Handler>> handlers_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace real

#endif  // RUNTIME_REAL_MESSAGE_HANDLERS_H_
