// MessageBatcher: the messages of all groups to each other node, sent once in a turn of the loop.
#ifndef PAXOS_MESSAGE_BATCHER_H_
#define PAXOS_MESSAGE_BATCHER_H_

#include <cstddef>
#include <map>
#include <memory>

#include "paxos/instruments.h"
#include "paxos/kernel/message.h"
#include "runtime/network.h"
#include "storage/ids.h"

namespace paxos {

// What the nodes of Paxos groups send each other: a MessageBatch.
inline constexpr runtime::MessageKind kPaxosMessages{0x50};

class MessageBatcher {
 public:
  // Both outlive it.
  MessageBatcher(runtime::Network* network, Instruments* instruments);
  ~MessageBatcher();

  void Add(runtime::NodeId node, storage::GroupId group, const Message& message);
  bool empty() const { return added_ == 0; }
  // Sends all that was added. What finds no room in the network's queue is lost; it is sent again
  // by who needs it.
  void Flush();

 private:
  struct Batch;

  void Send(runtime::NodeId node, Batch* batch);

  runtime::Network& network_;
  Instruments& instruments_;
  std::map<runtime::NodeId, std::unique_ptr<Batch>> batches_;  // Kept, to be filled again.
  size_t added_ = 0;
};

}  // namespace paxos

#endif  // PAXOS_MESSAGE_BATCHER_H_
