// Outcomes: how transactions ended in a group, as far as it is kept in memory (TX-ONCE).
//
// Place:       at every replica of a group, a part of its state (ShardState), which writes to the
//              store what is added and removed here.
// In memory:   the outcomes of the highest ids, and whom outcomes still have to reach. All others
//              are in the store only: Find() says when to look there. What was changed since
//              Written() is known here for certain, so an answer does not depend on where batches
//              end.
// Forgetting:  an outcome is kept until nobody waits for it, and until `forgotten_before` has passed
//              the moment at which its transaction began. What began before that mark and has no
//              outcome gets none any more: so a transaction whose commit is forgotten cannot abort
//              after all, nor commit again.
//              `forgotten_before` moves at once; what is behind it is then removed bit by bit, up to
//              `swept_before`.
// Concurrency: one loop.
#ifndef TXN_KERNEL_OUTCOMES_H_
#define TXN_KERNEL_OUTCOMES_H_

#include <cstddef>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "storage/ids.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

using storage::GroupId;

struct Outcome {
  std::optional<Timestamp> committed;  // At which timestamp; none: it aborted.
  std::string why = {};                // An abort's reason, for its user (TX-WHY).

  static Outcome Committed(Timestamp timestamp) { return {.committed = timestamp}; }
  static Outcome Aborted(std::string why) { return {.committed = {}, .why = std::move(why)}; }

  friend bool operator==(const Outcome&, const Outcome&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Outcome& outcome);
};

// What is kept in the store besides the outcomes themselves.
struct OutcomeMarks {
  Timestamp forgotten_before = Timestamp::Min();
  TransactionId swept_before = {Timestamp::Min(), {}, 0};
  TransactionId newest = {Timestamp::Min(), {}, 0};  // The highest id that ever had an outcome.

  friend bool operator==(const OutcomeMarks&, const OutcomeMarks&) = default;
};

class Outcomes {
 public:
  using Waiting = std::map<TransactionId, std::vector<GroupId>>;

  struct Found {
    bool certain = true;               // False: look in the store.
    const Outcome* outcome = nullptr;  // If certain: null if there is none. Until the next change.
  };

  // Of so many transactions, outcomes are kept in memory.
  explicit Outcomes(size_t recent_max) : recent_max_(recent_max) {}

  // Begins with what is in the store.
  void Restore(OutcomeMarks marks, Waiting waiting);

  Found Find(const TransactionId& id) const;
  // Whether it began so long ago that it gets no outcome any more.
  bool TooOld(const TransactionId& id) const { return id.begun < marks_.forgotten_before; }

  // A transaction has ended, and the outcome has to reach these groups. CHECKs that it is not too
  // old.
  void Add(const TransactionId& id, Outcome outcome, std::vector<GroupId> waiting);
  // All groups have it. What became of its record is said by Removal.
  struct Removal {
    bool waiting = false;  // It was waited for until now.
    bool outcome = false;  // It was kept for that only, and is gone.
  };
  Removal Forget(const TransactionId& id);

  // Outcomes of what began earlier are to be forgotten. An earlier mark than before changes nothing.
  void ForgetBefore(Timestamp begun);
  // Goes on removing from `swept_before` on, given the ids that have an outcome in the *store* from
  // there on in ascending order: more than `count_max` + unwritten() of them, unless there are no
  // more before `forgotten_before`. Looks at `count_max` outcomes; the ids of those it removes.
  std::vector<TransactionId> Sweep(const std::vector<TransactionId>& stored, size_t count_max);
  bool swept() const { return marks_.swept_before.begun >= marks_.forgotten_before; }

  // What was changed is in the store.
  void Written();
  // How many were changed since.
  size_t unwritten() const { return unwritten_.size(); }

  const Waiting& waiting() const { return waiting_; }
  const OutcomeMarks& marks() const { return marks_; }

 private:
  const size_t recent_max_;
  OutcomeMarks marks_;
  Waiting waiting_;
  // None: it was removed.
  std::map<TransactionId, std::optional<Outcome>> unwritten_;
  // Invariant: all outcomes above complete_above_ that are in the store.
  std::map<TransactionId, Outcome> recent_;
  TransactionId complete_above_;
};

}  // namespace txn

#endif  // TXN_KERNEL_OUTCOMES_H_
