// LockMode: how a lock is held, and which modes bear each other.
//
//                 another holds
//   wanted        shared   update   exclusive
//   shared         yes      yes        no        what is read
//   update         yes      no         no        what is read, and will probably be written
//   exclusive      no       no         no        what is written
//
// An update lock keeps two transactions that both read in order to write from doing so at once:
// with shared locks one of them would have to be aborted when both come to write. Readers pass it
// by. The table is symmetric on purpose: were a held update lock closed to new readers, an older
// reader would wound a transaction that has only read.
//
// Modes are ordered by strength: who holds one holds all weaker ones.
#ifndef TXN_KERNEL_LOCK_MODE_H_
#define TXN_KERNEL_LOCK_MODE_H_

#include <cstdint>

namespace txn {

enum class LockMode : uint8_t { kShared, kUpdate, kExclusive };

// Whether two transactions cannot hold these at once on one key.
constexpr bool Conflicts(LockMode a, LockMode b) {
  if (a == LockMode::kExclusive || b == LockMode::kExclusive) return true;
  return a == LockMode::kUpdate && b == LockMode::kUpdate;
}

// "shared", "update", "exclusive".
constexpr const char* LockModeName(LockMode mode) {
  switch (mode) {
    case LockMode::kShared:
      return "shared";
    case LockMode::kUpdate:
      return "update";
    case LockMode::kExclusive:
      return "exclusive";
  }
  return "?";
}

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_MODE_H_
