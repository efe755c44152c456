// LockStory: a lock table as a scenario file drives it, command by command; what happens comes back
// as text (tests/txn/scenarios/README.md has the commands).
#ifndef TESTS_TXN_KERNEL_LOCK_STORY_H_
#define TESTS_TXN_KERNEL_LOCK_STORY_H_

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "txn/kernel/lock_table.h"

namespace txn {

class LockStory {
 public:
  LockStory();

  // Carries out one line; what happened, in whole lines.
  std::string Do(const std::string& line);
  // A rule was broken, in a story that did not switch one off.
  bool failed() const { return failed_; }

 private:
  using Words = std::vector<std::string>;

  struct Attempt {
    TransactionId id;
    Age age;
  };

  void Table(const Words& words);
  void Begin(const Words& words);
  void DoAs(const Attempt& attempt, const Words& words);
  void Acquire(const Attempt& attempt, const Words& words);
  void Restore(const Words& words);
  void Cancel(const Words& words);
  void TellLocks();
  void TellWaits();
  void TellMemory();
  void TellEffects();
  void Look();

  std::string NameOf(const TransactionId& id) const;
  // A sentence with the names of this story for its ids.
  std::string WithNames(std::string sentence) const;
  template <typename... Parts>
  void Say(const Parts&... parts);

  LockTableOptions options_;
  std::unique_ptr<LockTable> table_;
  std::map<std::string, Attempt> attempts_;
  uint64_t sequence_ = 0;
  int64_t now_ms_ = 1000;
  bool failed_ = false;
  std::ostringstream out_;
};

}  // namespace txn

#endif  // TESTS_TXN_KERNEL_LOCK_STORY_H_
