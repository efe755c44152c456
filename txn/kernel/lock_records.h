// What the lock table remembers of each transaction and of each request that waits. Inside of
// lock_table.h; the segments point to these.
#ifndef TXN_KERNEL_LOCK_RECORDS_H_
#define TXN_KERNEL_LOCK_RECORDS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/time.h"
#include "txn/kernel/lock.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

using runtime::Duration;
using runtime::MonotonicTime;

struct HeldLock {
  Lock lock;
  MonotonicTime since;
};

// A transaction that holds locks, waits for some, or was wounded.
struct LockOwner {
  TransactionId id;
  Age age;
  bool prepared = false;
  // As they were asked for; they may overlap. Invariant: in every segment of the table the owner's
  // mode is the strongest of those that cover it.
  std::vector<HeldLock> held = {};
  std::vector<RequestId> waiting = {};
  // Not null: it was wounded, holds nothing and waits for nothing.
  std::unique_ptr<LockConflict> wound = nullptr;
  uint64_t wound_number = 0;  // In the order of the wounds.
};

struct LockWaiter {
  RequestId id;
  LockOwner* owner = nullptr;
  std::vector<Lock> wants;
  MonotonicTime since;
};

// Whether `a` goes before `b`. Two attempts of one transaction can meet, when what is left of the
// earlier one was not cleared away yet: then the later one is alive and goes first.
inline bool IsOlder(const LockOwner& a, const LockOwner& b) {
  return a.age != b.age ? a.age < b.age : a.id > b.id;
}

// Requests in the order in which they are granted.
inline bool GoesBefore(const LockWaiter& a, const LockWaiter& b) {
  return a.owner != b.owner ? IsOlder(*a.owner, *b.owner) : a.id < b.id;
}

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_RECORDS_H_
