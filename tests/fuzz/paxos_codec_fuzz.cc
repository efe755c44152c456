// Any bytes from another node or a disk give a message, a record or an error, never a crash; and
// what is taken is encoded again to what is taken again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "paxos/codec.h"
#include "paxos/paxos.pb.h"
#include "paxos/records.h"
#include "runtime/check.h"

namespace paxos {
namespace {

void Messages(const std::string& bytes) {
  wire::MessageBatch batch;
  if (!batch.ParseFromString(bytes)) return;
  for (wire::GroupMessage& one : *batch.mutable_messages()) {
    const storage::GroupId group(one.group());
    const absl::StatusOr<Message> message = DecodeMessage(&one);
    if (!message.ok()) continue;
    wire::GroupMessage again;
    EncodeMessage(group, *message, &again);
    CHECK(DecodeMessage(&again).ok()) << *message;
  }
}

void Records(const std::string& bytes) {
  if (const auto meta = DecodeGroupMeta(bytes); meta.ok()) {
    const auto again = DecodeGroupMeta(EncodeGroupMeta(meta->hard_state, meta->founding.get()));
    CHECK(again.ok() && again->hard_state == meta->hard_state);
  }
  if (const auto entry = DecodeLogEntry(Slot(7), bytes); entry.ok()) {
    const auto again = DecodeLogEntry(Slot(7), EncodeLogEntry(*entry));
    CHECK(again.ok() && *again == *entry);
  }
  if (const auto applied = DecodeAppliedState(bytes); applied.ok()) {
    const auto again = DecodeAppliedState(EncodeAppliedState(*applied));
    CHECK(again.ok() && *again == *applied);
  }
}

}  // namespace
}  // namespace paxos

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(data, data + size);
  paxos::Messages(input);
  paxos::Records(input);
  return 0;
}
