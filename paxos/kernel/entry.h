// Entry: what is chosen in one slot of a group's log.
#ifndef PAXOS_KERNEL_ENTRY_H_
#define PAXOS_KERNEL_ENTRY_H_

#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

#include "paxos/kernel/ballot.h"
#include "paxos/kernel/configuration.h"
#include "runtime/time.h"
#include "storage/ids.h"

namespace paxos {

using runtime::Timestamp;
using storage::Slot;

enum class EntryKind : uint8_t {
  kNoOp,           // Fills a gap that a dead leader left.
  kCommand,        // For the state machine.
  kConfiguration,  // In force from the next slot on.
};

struct Entry {
  EntryKind kind = EntryKind::kNoOp;
  // Grows strictly along the log (PX-MONOTONE).
  Timestamp timestamp;
  // Of a command: shared by all messages that carry it. Null otherwise.
  std::shared_ptr<const std::string> command;
  // Of a configuration. Null otherwise.
  std::shared_ptr<const Configuration> configuration;

  size_t bytes() const { return sizeof(Entry) + (command == nullptr ? 0 : command->size()); }
};

// Whether both are the same value (contents, not pointers).
bool operator==(const Entry& a, const Entry& b);
std::ostream& operator<<(std::ostream& out, const Entry& entry);

// What an acceptor has accepted: a value, and the highest ballot in which it did.
struct AcceptedEntry {
  Slot slot;
  Ballot ballot;
  Entry entry;

  friend bool operator==(const AcceptedEntry&, const AcceptedEntry&) = default;
};

// A value that is chosen, for certain and for ever.
struct Chosen {
  Slot slot;
  Entry entry;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_ENTRY_H_
