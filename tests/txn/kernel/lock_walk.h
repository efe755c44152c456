// LockWalk: a lock table driven at random beside the plain model of it. One seed, one walk. After
// every step the answers and effects of both are compared and the watchers look; in the end all
// transactions end, oldest first, and nothing may be left.
#ifndef TESTS_TXN_KERNEL_LOCK_WALK_H_
#define TESTS_TXN_KERNEL_LOCK_WALK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/random.h"
#include "tests/txn/kernel/lock_model.h"
#include "txn/kernel/lock_table.h"

namespace txn {

class LockWalk {
 public:
  explicit LockWalk(uint64_t seed);

  // What went wrong, and in which step; empty if nothing did.
  std::string Run(int steps);
  const LockCounts& counts() const { return table_.counts(); }

 private:
  struct Attempt {
    TransactionId id;
    Age age;
  };

  void RestoreSome();
  std::string Step();
  std::string Acquire(const Attempt& attempt);
  std::string Prepare(const Attempt& attempt);
  std::string Release(size_t place);
  std::string Cancel();
  std::string Ask(const Attempt& attempt);
  std::string EndAll();
  // Compares the effects, and looks.
  std::string Compare();

  // Of a new transaction, or of one that was tried before.
  Attempt Begin();
  std::vector<Lock> SomeLocks();
  KeyRange SomeRange();
  LockMode SomeMode();

  runtime::Random random_;
  LockTable table_{LockTableOptions()};
  LockModel model_;
  // Drawn from the seed: how crowded it is, and what is asked for.
  int64_t keys_;
  size_t attempts_max_;
  double ranges_;
  double exclusive_;
  std::vector<Key> places_;
  std::vector<Attempt> attempts_;
  std::vector<Age> ended_;  // May be tried again.
  uint64_t sequence_ = 0;
  uint64_t requests_ = 0;
  MonotonicTime now_;
};

}  // namespace txn

#endif  // TESTS_TXN_KERNEL_LOCK_WALK_H_
