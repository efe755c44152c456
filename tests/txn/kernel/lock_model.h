// LockModel: what a lock table should do, written in the plainest way: lists of locks and requests,
// each compared with each other.
#ifndef TESTS_TXN_KERNEL_LOCK_MODEL_H_
#define TESTS_TXN_KERNEL_LOCK_MODEL_H_

#include <map>
#include <string>
#include <vector>

#include "txn/kernel/lock_table.h"

namespace txn {

class LockModel {
 public:
  struct Attempt {
    Age age;
    bool prepared = false;
    bool wounded = false;
    std::vector<Lock> held;
  };
  struct Request {
    RequestId id;
    TransactionId transaction;
    std::vector<Lock> wants;
  };

  LockAnswer Acquire(RequestId request, const TransactionId& transaction, const Age& age,
                     const std::vector<Lock>& wants);
  bool MarkPrepared(const TransactionId& transaction);
  void Release(const TransactionId& transaction);
  bool CancelRequest(RequestId request);
  void Restore(const TransactionId& transaction, const Age& age,
               const std::vector<KeyRange>& exclusive);

  // By the representatives of all keys: the places where locks may begin.
  bool Holds(const TransactionId& transaction, const Lock& lock,
             const std::vector<Key>& places) const;
  bool Older(const TransactionId& a, const TransactionId& b) const;

  const std::map<TransactionId, Attempt>& attempts() const { return attempts_; }
  const std::vector<Request>& requests() const { return requests_; }
  // What the calls since the last one did to others, in these words and this order: "wounded
  // 1hp-1-2 for 1hp-1-1", "ended 3", "granted 4".
  std::vector<std::string> TakeEffects();

 private:
  bool HoldsInConflict(const Attempt& attempt, const std::vector<Lock>& wants) const;
  bool CanBeGranted(const TransactionId& transaction, const std::vector<Lock>& wants) const;
  void EndRequestsOf(const TransactionId& transaction);
  void GrantAll();
  void ForgetIdle();

  std::map<TransactionId, Attempt> attempts_;
  std::vector<Request> requests_;  // In the order in which they came.
  std::vector<std::string> wounded_;
  std::vector<std::string> ended_;
  std::vector<std::string> granted_;
};

bool InConflict(const std::vector<Lock>& some, const std::vector<Lock>& others);

}  // namespace txn

#endif  // TESTS_TXN_KERNEL_LOCK_MODEL_H_
