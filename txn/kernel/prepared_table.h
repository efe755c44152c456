// PreparedTable: the transactions that are prepared in a group and not decided there yet, and how
// far they hold back reads of the keys that they write (TX-SAFE-TIME).
//
// Place:       above storage's keys. At every replica of a group, a part of its state machine,
//              which alone changes it; the participant reads it.
// Invariants:  (1) No two prepared transactions write the same key: both would hold an exclusive
//              lock on it.
// Crash:       all of it stands in the group's own state, and is added again after a restart.
// Concurrency: one loop.
// Paper:       Corbett et al. 2012, 4.1.3: t_TM_safe, refined by key as section 4.2.4 proposes.
#ifndef TXN_KERNEL_PREPARED_TABLE_H_
#define TXN_KERNEL_PREPARED_TABLE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/ids.h"
#include "txn/kernel/key_times.h"
#include "txn/kernel/lock.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

using storage::GroupId;

// One row that a transaction writes.
struct Write {
  Key key;
  std::optional<std::string> value;  // None: the row is deleted.

  friend bool operator==(const Write&, const Write&) = default;
};

// What phase 1 of two-phase commit left in a group.
struct PreparedTransaction {
  TransactionId id;
  Age age;
  Timestamp timestamp;               // The prepare timestamp: the commit's will not be below it.
  GroupId coordinator;               // Decides.
  std::vector<Write> writes = {};    // Ascending by key, each key once.
  std::vector<KeyRange> locks = {};  // Exclusive ones besides those on the keys that it writes.

  friend bool operator==(const PreparedTransaction&, const PreparedTransaction&) = default;
};

// All that it holds exclusively: for LockTable::Restore().
std::vector<KeyRange> ExclusiveRanges(const PreparedTransaction& prepared);

class PreparedTable {
 public:
  using Entry = std::shared_ptr<const PreparedTransaction>;  // Never null.

  // CHECKs that it is new, and invariant (1).
  void Add(Entry prepared);
  // It was decided. CHECKs that it is here.
  void Remove(const TransactionId& id);
  void Clear();

  // The highest timestamp at which no prepared transaction can still write in the range: just below
  // the smallest prepare timestamp there. Max(): none writes there.
  Timestamp SafeTime(const KeyRange& range) const;
  // The same for the whole group.
  Timestamp SafeTime() const;

  // Whether a prepared transaction writes this key.
  bool IsWritten(const Key& key) const { return keys_.Find(key).has_value(); }
  // Null: not prepared.
  const PreparedTransaction* Find(const TransactionId& id) const;
  // Ascending by id.
  const std::map<TransactionId, Entry>& entries() const { return entries_; }
  size_t size() const { return entries_.size(); }

 private:
  std::map<TransactionId, Entry> entries_;
  std::set<std::pair<Timestamp, TransactionId>> by_time_;
  KeyTimes keys_;  // That are written, with the prepare timestamps.
};

}  // namespace txn

#endif  // TXN_KERNEL_PREPARED_TABLE_H_
