// What must never be seen in a lock table, whatever it was asked. Each gives what is wrong, or "".
#ifndef TESTS_TXN_KERNEL_LOCK_WATCHERS_H_
#define TESTS_TXN_KERNEL_LOCK_WATCHERS_H_

#include <string>
#include <vector>

#include "txn/kernel/lock_table.h"

namespace txn {

// All of the header's invariants that can be seen from outside.
std::string CheckLockTable(const LockTable& table);

// Transactions that wait for each other in a circle, the first one again at the end; empty if there
// is none.
std::vector<TransactionId> FindCircle(const LockTable& table);

}  // namespace txn

#endif  // TESTS_TXN_KERNEL_LOCK_WATCHERS_H_
