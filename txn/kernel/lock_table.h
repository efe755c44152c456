// LockTable: who holds which locks of one group, who waits, and who has to give way (TX-LOCKS).
//
// Place:       above storage's keys, below the participant, which alone calls it. It lives at the
//              group's leader for as long as one ballot (TX-EPOCH): the next leader begins with an
//              empty one and restores the write locks of prepared transactions from the log.
// Rules:       Two-phase: locks are added until the transaction ends, and freed together. A request
//              is granted whole or not at all: when no other transaction holds a lock in conflict
//              with one of its locks, and none that is older waits for one.
//              Wound-wait: a request wounds all younger holders in its way, unless they are
//              prepared. A wounded transaction loses all of its locks here at once; what it asks
//              afterwards is refused with the reason, until Release() forgets it.
// States:
//                  Acquire()             MarkPrepared()           Release()
//      unknown --------------> active -----------------> prepared ----------> unknown
//         |                      |    Release() (abort, or commit in one group)  ^
//         |                      +-----------------------------------------------+
//         | Restore()            | an older one                                  |
//         +----> prepared        +----------------------> wounded ---------------+
// Invariants:  (1) No two transactions hold locks in conflict. (2) No request waits that could be
//              granted. (3) Who waits, waits for older transactions and prepared ones only. (4) A
//              prepared transaction waits for nothing and is never wounded.
// No deadlock: by (3) every wait leads to an older transaction or to a prepared one. Ages are a
//              total order, the same at all groups, so a circle of waits would have to pass through
//              a prepared transaction, which by (4) waits for nothing. Invariant (3) holds since a
//              request wounds what is younger in its way as it arrives, and nothing younger comes
//              into its way later: a request is not granted past an older one in conflict that
//              waits. This is of one group; over several it needs the caller: no group prepares a
//              transaction that still waits for a lock in another one.
// No starving: the oldest unprepared transaction waits only for prepared ones, which end without
//              needing a lock. A transaction tried again keeps its age while new ones are younger,
//              so it is the oldest in the end, and wins.
// Time:        only to tell how long somebody held or waited (TX-WHY). Requests have no time-out
//              here; whoever has one calls CancelRequest().
// Crash:       all is lost. Who held read locks finds out by the ballot (TX-EPOCH).
// Concurrency: one loop. Every call ends with TakeEffects() before the next wait.
// Paper:       Rosenkrantz, Stearns, Lewis: System Level Concurrency Control for Distributed
//              Database Systems (TODS 1978), wound-wait; Corbett et al. 2012, 4.2.1. Differences:
//              update locks; locks are asked for in batches; write locks come before a prepare, not
//              with it.
#ifndef TXN_KERNEL_LOCK_TABLE_H_
#define TXN_KERNEL_LOCK_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "txn/kernel/lock.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/kernel/lock_records.h"
#include "txn/kernel/lock_segments.h"
#include "txn/kernel/options.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

enum class LockAnswer : uint8_t {
  kGranted,     // All of it.
  kWaits,       // None of it yet; an effect tells how it ends.
  kWounded,     // Refused: WoundOf() says why.
  kPrepared,    // Refused: a prepared transaction takes no more locks.
  kOverloaded,  // Refused: the table is full. Nothing has changed; the same may be asked later.
};
const char* LockAnswerName(LockAnswer answer);

// What the calls since the last TakeEffects() did to others, each list in the order in which it
// happened.
struct LockEffects {
  struct Ended {
    RequestId request;
    TransactionId transaction;
  };
  std::vector<LockConflict> wounded;  // Each `loser`; what it held is free.
  std::vector<Ended> ended;        // Requests that waited; their transaction is wounded or ended.
  std::vector<RequestId> granted;  // Requests that waited.
};

// A lock that is held.
struct LockView {
  TransactionId transaction;
  Age age;
  Lock lock;
  MonotonicTime since;
  bool prepared = false;
};

// A request that waits.
struct WaitView {
  RequestId request;
  TransactionId transaction;
  Age age;
  std::vector<Lock> wants;
  MonotonicTime since;
  std::vector<TransactionId> waits_for;  // The oldest first.
};

class LockTable {
 public:
  explicit LockTable(LockTableOptions options) : options_(options) {}
  LockTable(const LockTable&) = delete;
  LockTable& operator=(const LockTable&) = delete;

  // --- What happens ---

  // Asks for locks, all or none, for an attempt of a transaction with this age (that of its first
  // call counts). What it holds already it may ask for again, or in a stronger mode. CHECKs that no
  // request of this id waits.
  LockAnswer Acquire(RequestId request, const TransactionId& transaction, const Age& age,
                     std::vector<Lock> wants, MonotonicTime now);
  // From now on it cannot be wounded. False: it was, or waits for a lock, or holds none here.
  [[nodiscard]] bool MarkPrepared(const TransactionId& transaction);
  // It has committed or aborted: its locks are free, its requests end, and it is forgotten.
  void Release(const TransactionId& transaction, MonotonicTime now);
  // Gives up a request that waits, and says what it waited for. Nothing: it does not wait (any
  // more), so it was granted, or has ended.
  std::optional<LockConflict> CancelRequest(RequestId request, MonotonicTime now);
  // A transaction that the log says is prepared, with its exclusive locks. Before all else in a
  // ballot. CHECKs that the transaction is new here, and that nobody else holds these locks.
  void Restore(const TransactionId& transaction, const Age& age,
               const std::vector<KeyRange>& exclusive, MonotonicTime now);

  LockEffects TakeEffects();

  // --- What is known ---

  // Whether the transaction holds `lock`, or a stronger one, still, on all keys of it. What a
  // prepare, or a commit in one group, asks for each lock that it relies on.
  bool Holds(const TransactionId& transaction, const Lock& lock) const;
  // What it holds, as it was asked for; empty if nothing. Valid until the next call.
  const std::vector<HeldLock>& HeldBy(const TransactionId& transaction) const;
  // Why it was wounded; null if it was not, or is forgotten. Valid until the next call.
  const LockConflict* WoundOf(const TransactionId& transaction) const;
  bool prepared(const TransactionId& transaction) const;
  // Whether a prepared transaction holds an exclusive lock on some of these keys.
  bool IsBeingCommitted(const KeyRange& range) const;

  // The first so many, by transaction, and by request.
  std::vector<LockView> ListLocks(size_t locks_max) const;
  // Of each, so many that it waits for.
  std::vector<WaitView> ListWaits(size_t requests_max, size_t waits_for_max) const;

  // Transactions that hold, wait, or were wounded.
  size_t transactions() const { return owners_.size(); }
  size_t waiting() const { return waiters_.size(); }
  // Locks that are held or waited for.
  size_t locks() const { return locks_; }
  const LockSegments& segments() const { return segments_; }
  const LockCounts& counts() const { return counts_; }

 private:
  // What stands in the way of a request.
  struct Obstacles {
    bool must_wait = false;           // For older ones, and prepared ones.
    std::vector<LockOwner*> victims;  // Holders to be wounded, the oldest first.
    size_t growth_max = 0;            // By how many entries the segments may grow with it.
  };
  struct Blocker {
    const LockOwner* owner;
    const LockWaiter* waiter;  // Null: it holds the lock.
  };

  Obstacles Survey(const LockOwner& owner, const std::vector<Lock>& wants) const;
  // Whether anything is in the way of a request that waits.
  bool IsBlocked(const LockOwner& owner, const std::vector<Lock>& wants) const;
  bool MayWound(const LockOwner& requester, const LockOwner& holder) const;
  bool IsFull(size_t wants, size_t growth_max) const;
  void Hold(LockOwner* owner, std::vector<Lock> locks, MonotonicTime now);
  void Wait(RequestId request, LockOwner* owner, std::vector<Lock> wants, MonotonicTime now);

  // Takes all locks and requests from `owner`, and adds the ranges on which others may go on.
  void Strip(LockOwner* owner, std::vector<KeyRange>* freed);
  void StopWaiting(LockWaiter* waiter, std::vector<KeyRange>* freed);
  void Wound(LockOwner* victim, LockConflict why, std::vector<KeyRange>* freed);
  // Grants what can be on ranges on which somebody has let go.
  void GrantOn(const std::vector<KeyRange>& freed, MonotonicTime now);
  std::vector<LockWaiter*> FirstInLine(const std::vector<KeyRange>& freed);
  void ForgetIfIdle(LockOwner* owner);

  // Whom it waits for, the oldest first, each once. Looks for no more when so many were seen.
  std::vector<Blocker> BlockersOf(const LockWaiter& waiter, size_t seen_max) const;
  LockConflict WhyWounded(const LockOwner& victim, const LockOwner& winner,
                          const std::vector<Lock>& wants, MonotonicTime now) const;
  LockConflict WhyWaited(const LockWaiter& waiter, MonotonicTime now) const;
  const LockOwner* Find(const TransactionId& transaction) const;

  const LockTableOptions options_;
  LockSegments segments_;
  // The records' addresses stay, for the segments.
  std::map<TransactionId, LockOwner> owners_;
  std::map<RequestId, LockWaiter> waiters_;
  size_t locks_ = 0;  // Invariant: those of owners_ and waiters_.
  // Wounds of which the reason is known, by their numbers.
  std::map<uint64_t, LockOwner*> wounds_;
  uint64_t last_wound_ = 0;
  LockEffects effects_;
  LockCounts counts_;
};

}  // namespace txn

#endif  // TXN_KERNEL_LOCK_TABLE_H_
