// CancelScope: a part of the task tree that can be told to stop.
//
// Every task runs under one scope, handed down at each `co_await task`, so cancellation and
// deadlines need no parameters: each wait below a cancelled scope ends at once with the scope's
// reason, and the ordinary error path carries that up. (The idea is Trio's cancel scopes.)
//
// States:      open -> cancelled(reason), once. The first reason stays.
// Guarantees:  Cancel() reaches every wait and every scope beneath, also those made later. It only
//              makes them ready; nothing runs inside the call.
// Concurrency: one executor. To cancel from another thread, Post().
#ifndef RUNTIME_CANCEL_SCOPE_H_
#define RUNTIME_CANCEL_SCOPE_H_

#include <coroutine>

#include "absl/status/status.h"
#include "runtime/executor.h"

namespace runtime {

// One suspended coroutine: what it waits in, and how it is woken. Awaiters derive from it, link
// `wait_hook` into the thing they wait for and call Suspend(); both hooks unlink on Wake() and on
// destruction, so an awaiter that dies with its frame leaves nothing behind.
class Waiter : public Runnable {
 public:
  // Makes the coroutine ready with `status` as the result of its wait. Only the first call counts.
  void Wake(absl::Status status = absl::OkStatus());

  bool waiting() const { return waiting_; }

  ListHook wait_hook;
  ListHook cancel_hook;

 protected:
  Waiter() = default;
  ~Waiter() = default;

  // Arms the waiter, under `cancel` if there is one. If that scope is cancelled already the wait
  // has ended before it began: returns false, and `status()` is the reason.
  bool Suspend(std::coroutine_handle<> coroutine, class CancelScope* cancel);

  // The reason the wait ended.
  absl::Status& status() { return status_; }

 private:
  friend class CancelScope;

  void Run() final { coroutine_.resume(); }
  // The scope was cancelled. A wait that must still hear the end of what it started overrides this,
  // passes the cancellation on, and stays suspended.
  virtual void Cancelled(const absl::Status& reason) { Wake(reason); }

  std::coroutine_handle<> coroutine_;
  absl::Status status_;
  bool waiting_ = false;
};

using WaitHook = boost::intrusive::member_hook<Waiter, ListHook, &Waiter::wait_hook>;
// The waiters of one event, channel or the like, in the order they came.
using WaitList =
    boost::intrusive::list<Waiter, WaitHook, boost::intrusive::constant_time_size<false>>;

class CancelScope : public boost::intrusive::list_base_hook<AutoUnlink> {
 public:
  // A scope below `parent`, which outlives it; without a parent nothing but Cancel() stops it.
  explicit CancelScope(CancelScope* parent = nullptr);
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  // Ends all waits beneath with `reason`, which must not be OK.
  void Cancel(absl::Status reason = absl::CancelledError("cancelled"));

  bool cancelled() const { return !reason_.ok(); }
  // OK while open.
  const absl::Status& reason() const { return reason_; }

 private:
  friend class Waiter;
  using CancelHook = boost::intrusive::member_hook<Waiter, ListHook, &Waiter::cancel_hook>;

  absl::Status reason_;
  boost::intrusive::list<Waiter, CancelHook, boost::intrusive::constant_time_size<false>> waiters_;
  boost::intrusive::list<CancelScope, boost::intrusive::constant_time_size<false>> children_;
};

}  // namespace runtime

#endif  // RUNTIME_CANCEL_SCOPE_H_
