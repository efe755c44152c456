#include "runtime/real/message_handlers.h"

#include <utility>

#include "runtime/check.h"
#include "runtime/real/by_loop.h"

namespace real {

void MessageHandlers::Add(runtime::MessageKind kind, Loop* loop,
                          runtime::Network::MessageHandler handler) {
  auto added = std::make_shared<Handler>(Handler{loop, std::move(handler)});
  MutexLock lock(&mutex_);
  CHECK(handlers_.emplace(kind, std::move(added)).second)
      << "message kind " << kind << " has a handler already";
}

void MessageHandlers::Remove(runtime::MessageKind kind) {
  MutexLock lock(&mutex_);
  const auto found = handlers_.find(kind);
  CHECK(found != handlers_.end());
  found->second->closed = true;
  handlers_.erase(found);
}

void MessageHandlers::Dispatch(runtime::NodeId sender, std::vector<IncomingMessage> messages,
                               std::shared_ptr<void> done, void (Loop::*hand)(Loop::Work)) {
  metrics_->messages_received.Add(static_cast<double>(messages.size()));
  ByLoop<Handed> by_loop;
  size_t dropped = 0;
  {
    MutexLock lock(&mutex_);
    for (IncomingMessage& message : messages) {
      const auto found = handlers_.find(message.kind);
      if (found == handlers_.end()) {
        ++dropped;
        continue;
      }
      by_loop.Add(found->second->loop, {found->second, std::move(message.payload)});
    }
  }
  if (dropped > 0) metrics_->messages_dropped.Add(static_cast<double>(dropped));
  for (auto& [home, queue] : by_loop) {
    (home->*hand)([sender, done, handed = std::move(queue)]() mutable {
      for (Handed& message : handed) {
        if (!message.handler->closed) message.handler->handle(sender, std::move(message.payload));
      }
    });
  }
}

}  // namespace real
