// LockLedger: what a transaction holds where, as far as its gateway was told: the ballots of its
// locks (TX-EPOCH), and which locks it need not ask for again.
//
// Place:       one for each read-write transaction, at its gateway. The shards' lock tables decide;
//              this only remembers their answers.
// Concurrency: one loop.
#ifndef TXN_LOCK_LEDGER_H_
#define TXN_LOCK_LEDGER_H_

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/kernel/lock.h"
#include "txn/service.pb.h"

namespace txn {

// Keys, as ranges of which no two overlap or touch.
class RangeSet {
 public:
  void Add(const KeyRange& range);
  bool Contains(const KeyRange& range) const;
  bool empty() const { return ends_.empty(); }
  size_t size() const { return ends_.size(); }

 private:
  std::map<Key, Key> ends_;  // Of the ranges, by their starts.
};

class LockLedger {
 public:
  struct Group {
    // Under which it holds locks there; none before the first answer: then it may hold some, or not.
    std::optional<isochron::txn::Ballot> ballot = {};
    // By mode; whoever holds one holds all weaker ones.
    std::array<RangeSet, 3> held = {};
    // TX-ALIVE: when the group last heard of the transaction for certain, and whether it is being told.
    runtime::MonotonicTime heard_at = {};
    bool telling = false;
  };

  // It is asked from now on.
  Group& At(storage::GroupId group) { return groups_[group]; }
  // Null: it was never asked.
  const Group* Find(storage::GroupId group) const;
  const std::map<storage::GroupId, Group>& groups() const { return groups_; }
  std::map<storage::GroupId, Group>& groups() { return groups_; }

  // Those of `wants` that are not held in this mode or a stronger one.
  std::vector<Lock> Missing(storage::GroupId group, std::vector<Lock> wants) const;
  void Granted(storage::GroupId group, const std::vector<Lock>& locks,
               const isochron::txn::Ballot& ballot, runtime::MonotonicTime now);

  // Whether locks are certainly held there.
  bool Holds(storage::GroupId group) const;

 private:
  std::map<storage::GroupId, Group> groups_;
};

}  // namespace txn

#endif  // TXN_LOCK_LEDGER_H_
