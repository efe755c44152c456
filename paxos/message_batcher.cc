#include "paxos/message_batcher.h"

#include <utility>
#include <variant>

#include "paxos/codec.h"
#include "paxos/paxos.pb.h"

namespace paxos {
namespace {

// A batch that has grown so large goes at once.
constexpr size_t kBatchBytesMax = 1 << 20;

size_t BytesOf(const Message& message) {
  size_t bytes = 64;
  if (const auto* const accept = std::get_if<Accept>(&message.body)) {
    for (const Entry& entry : accept->entries) bytes += entry.bytes();
  } else if (const auto* const promise = std::get_if<Promise>(&message.body)) {
    for (const AcceptedEntry& accepted : promise->accepted) bytes += accepted.entry.bytes();
  }
  return bytes;
}

}  // namespace

struct MessageBatcher::Batch {
  wire::MessageBatch messages;
  size_t bytes = 0;
};

MessageBatcher::MessageBatcher(runtime::Network* network, Instruments* instruments)
    : network_(*network), instruments_(*instruments) {}
MessageBatcher::~MessageBatcher() = default;

void MessageBatcher::Add(runtime::NodeId node, storage::GroupId group, const Message& message) {
  std::unique_ptr<Batch>& batch = batches_[node];
  if (batch == nullptr) batch = std::make_unique<Batch>();
  EncodeMessage(group, message, batch->messages.add_messages());
  batch->bytes += BytesOf(message);
  ++added_;
  if (batch->bytes >= kBatchBytesMax) Send(node, batch.get());
}

void MessageBatcher::Flush() {
  for (auto& [node, batch] : batches_) {
    if (batch->bytes > 0) Send(node, batch.get());
  }
  added_ = 0;
}

void MessageBatcher::Send(runtime::NodeId node, Batch* batch) {
  const int count = batch->messages.messages_size();
  const absl::Status sent =
      network_.Send(node, kPaxosMessages, batch->messages.SerializeAsString());
  (sent.ok() ? instruments_.messages_sent : instruments_.messages_dropped).Add(count);
  // What was large once is not kept for ever.
  if (batch->bytes >= kBatchBytesMax) {
    batch->messages = wire::MessageBatch();
  } else {
    batch->messages.Clear();
  }
  batch->bytes = 0;
}

}  // namespace paxos
