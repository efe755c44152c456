// The settings of the transaction kernels, and what they count.
#ifndef TXN_KERNEL_OPTIONS_H_
#define TXN_KERNEL_OPTIONS_H_

#include <cstddef>
#include <cstdint>

namespace txn {

// Protocol rules that are switched off, to see what each is good for (simulation only).
struct Without {
  bool wound_wait = false;  // TX-LOCKS: the older waits for the younger, too.
};

struct LockTableOptions {
  // Locks that are held or waited for.
  size_t locks_max = 1'000'000;
  // Places in the table's segments: a lock has one in each segment that it covers, so locks on wide
  // ranges over many others need more than one.
  size_t entries_max = 4'000'000;
  // The reasons of wounds that are kept in full; after that, the oldest are.
  size_t wounds_max = 10'000;
  Without without;
};

struct LockCounts {
  uint64_t granted = 0;     // Requests, at once or later.
  uint64_t waited = 0;      // Requests that were not granted at once.
  uint64_t wounded = 0;     // Transactions.
  uint64_t cancelled = 0;   // Requests.
  uint64_t overloaded = 0;  // Requests refused.
};

}  // namespace txn

#endif  // TXN_KERNEL_OPTIONS_H_
