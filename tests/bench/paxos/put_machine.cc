#include "tests/bench/paxos/put_machine.h"

#include "absl/strings/str_cat.h"
#include "runtime/check.h"

namespace bench {
namespace {

// Of fixed length, so that the ranges of groups are in the order of the groups.
std::string Prefix(uint64_t group) {
  std::string prefix;
  for (int shift = 56; shift >= 0; shift -= 8) {
    prefix.push_back(static_cast<char>(group >> shift));
  }
  return prefix;
}

}  // namespace

// The length of the key in one byte, the key, the value.
std::string EncodePut(absl::string_view key, absl::string_view value) {
  CHECK_LT(key.size(), 256u);
  return absl::StrCat(std::string(1, static_cast<char>(key.size())), key, value);
}

storage::Key RowKey(storage::GroupId group, absl::string_view key) {
  return absl::StrCat(Prefix(group.value()), key);
}

storage::KeyRange PutMachine::range() const {
  return {Prefix(group_.value()), Prefix(group_.value() + 1)};
}

runtime::Task<absl::Status> PutMachine::Restored(storage::Store*, storage::Slot,
                                                 runtime::Timestamp) {
  co_return absl::OkStatus();
}

runtime::Task<absl::Status> PutMachine::Apply(std::vector<paxos::Command> commands,
                                              storage::ApplyBatch* batch) {
  for (const paxos::Command& command : commands) {
    const absl::string_view bytes = *command.bytes;
    const size_t key_bytes = static_cast<uint8_t>(bytes.at(0));
    batch->Put(RowKey(group_, bytes.substr(1, key_bytes)), command.timestamp,
               bytes.substr(1 + key_bytes));
  }
  co_return absl::OkStatus();
}

}  // namespace bench
