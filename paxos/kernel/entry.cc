#include "paxos/kernel/entry.h"

namespace paxos {
namespace {

template <typename T>
bool SameValue(const std::shared_ptr<const T>& a, const std::shared_ptr<const T>& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

}  // namespace

bool operator==(const Entry& a, const Entry& b) {
  return a.kind == b.kind && a.timestamp == b.timestamp && SameValue(a.command, b.command) &&
         SameValue(a.configuration, b.configuration);
}

std::ostream& operator<<(std::ostream& out, const Entry& entry) {
  switch (entry.kind) {
    case EntryKind::kNoOp:
      out << "no-op";
      break;
    case EntryKind::kCommand:
      if (entry.command->size() <= 32) {
        out << '"' << *entry.command << '"';
      } else {
        out << entry.command->size() << " bytes";
      }
      break;
    case EntryKind::kConfiguration:
      out << "members " << *entry.configuration;
      break;
  }
  return out << " at " << entry.timestamp.nanoseconds();
}

}  // namespace paxos
