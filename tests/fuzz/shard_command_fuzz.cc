// Any bytes from a log or a disk give a command, a record or an error, never a crash; and what is
// taken is encoded again to what is taken again.
#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/check.h"
#include "txn/commands.h"
#include "txn/shard_records.h"

namespace txn {
namespace {

void Commands(const std::string& bytes) {
  ShownAt(bytes, Timestamp(7));
  if (const auto command = DecodeCommand(bytes); command.ok()) {
    const auto again = DecodeCommand(EncodeCommand(*command));
    CHECK(again.ok() && again->index() == command->index());
  }
}

void Records(const std::string& bytes) {
  if (const auto meta = DecodeShardMeta(bytes); meta.ok()) {
    CHECK(*DecodeShardMeta(EncodeShardMeta(*meta)) == *meta);
  }
  if (const auto prepared = DecodePrepared(bytes); prepared.ok()) {
    CHECK(*DecodePrepared(EncodePrepared(*prepared)) == *prepared);
  }
  if (const auto outcome = DecodeOutcome(bytes); outcome.ok()) {
    CHECK(DecodeOutcome(EncodeOutcome(*outcome))->committed == outcome->committed);
  }
  if (const auto waiting = DecodeWaiting(bytes); waiting.ok()) {
    CHECK(*DecodeWaiting(EncodeWaiting(*waiting)) == *waiting);
  }
  static_cast<void>(IdOfKey(bytes));
}

}  // namespace
}  // namespace txn

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(data, data + size);
  txn::Commands(input);
  txn::Records(input);
  return 0;
}
