// LockConflict: why a transaction did not get, or lost, its locks, and the sentence that says so to
// its user (TX-WHY).
#ifndef TXN_KERNEL_LOCK_CONFLICT_H_
#define TXN_KERNEL_LOCK_CONFLICT_H_

#include <functional>
#include <string>

#include "runtime/time.h"
#include "txn/kernel/lock.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

struct LockConflict {
  enum class Kind : uint8_t {
    kWounded,    // The loser's locks were freed for the other, which is older.
    kWaited,     // The loser's request was given up before the other let it through.
    kForgotten,  // The loser was wounded; nothing else is known any more.
  };
  struct Party {
    TransactionId transaction;
    Age age;
    LockMode mode = LockMode::kShared;
    bool holds = false;          // The lock; otherwise it waits for it.
    bool prepared = false;       // To commit, and so cannot be wounded.
    runtime::Duration lasted{};  // How long it had held the lock, or waited for it.
  };

  Kind kind = Kind::kForgotten;
  Party loser;
  Party other;
  KeyRange range;  // Where the two locks meet.
};

// Keys in words, such as `key "a"`. Floors that know tables bring one of their own.
using KeyPrinter = std::function<std::string(const KeyRange&)>;
// The bytes of the keys, escaped.
std::string PrintKeys(const KeyRange& range);

// One sentence without its full stop.
std::string Explain(const LockConflict& conflict, const KeyPrinter& print_keys = PrintKeys);

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_CONFLICT_H_
