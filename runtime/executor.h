// Executor: one event loop, seen from the code that runs on it.
//
// Place:       the bottom of everything. A node has one per core; a shard, and every other piece of
//              state, belongs to exactly one and is touched only from it, so there are no mutexes
//              above runtime/real.
// Order:       work that is made ready is run in the order it became ready, one piece at a time,
//              never from inside the call that made it ready. Timers due at the same moment run in
//              an order that nobody may rely on (the simulated world draws it).
// Lifetime:    a Runnable or a Timer is owned by whoever waits (usually it lives in a coroutine
//              frame) and unlinks itself when destroyed, so destroying a suspended coroutine is
//              always safe.
// Crash:       a simulated node's crash calls DestroyAllTasks(): every coroutine goes at whatever
//              co_await it stands on, and nothing that its destructors make ready is run.
// Concurrency: everything but Post() is for the executor's own thread.
#ifndef RUNTIME_EXECUTOR_H_
#define RUNTIME_EXECUTOR_H_

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/set.hpp>
#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "runtime/time.h"

namespace runtime {

class TaskScope;

using AutoUnlink = boost::intrusive::link_mode<boost::intrusive::auto_unlink>;
using ListHook = boost::intrusive::list_member_hook<AutoUnlink>;

// Something that can stand in a ready queue, at most once at a time.
class Runnable {
 public:
  Runnable() = default;
  Runnable(const Runnable&) = delete;
  Runnable& operator=(const Runnable&) = delete;

  virtual void Run() = 0;

  ListHook ready_hook;

 protected:
  ~Runnable() = default;
};

// Calls Fire() on its executor at or after a moment. Starting it again moves it; destroying stops
// it.
class Timer : public boost::intrusive::set_base_hook<AutoUnlink> {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  MonotonicTime when() const { return when_; }
  bool running() const { return is_linked(); }
  void Stop() { unlink(); }

 protected:
  ~Timer() = default;

 private:
  friend class Executor;
  friend bool operator<(const Timer& a, const Timer& b) {
    return a.when_ != b.when_ ? a.when_ < b.when_ : a.tie_ < b.tie_;
  }

  // Called on the executor, with the timer already stopped.
  virtual void Fire() = 0;

  MonotonicTime when_;
  uint64_t tie_ = 0;
};

class Executor {
 public:
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // The executor whose work this thread is running. CHECKs that there is one.
  static Executor& Current();
  static Executor* CurrentOrNull();

  // Puts `runnable`, which must not be in a queue, at the end of the ready queue.
  void Ready(Runnable& runnable);

  // Runs `work` on this executor, later. From any thread. A stopped or crashed executor drops it.
  virtual void Post(absl::AnyInvocable<void()> work) = 0;

  // The time of this executor's timers.
  virtual MonotonicTime Now() = 0;

  // Starts `timer`, moving it if it runs already.
  void StartTimer(Timer& timer, MonotonicTime when);

  // True while a crash destroys the tasks: nothing that is made ready will run any more.
  bool crashing() const { return crashing_; }

  // Destroys every task of every scope on this executor, wherever it stands.
  void DestroyAllTasks();

 protected:
  Executor() = default;
  virtual ~Executor();

  // Makes this executor Current() while the object lives.
  class RunningHere {
   public:
    explicit RunningHere(Executor* executor);
    ~RunningHere();

   private:
    Executor* const before_;
  };

  bool has_ready() const { return !ready_.empty(); }
  // Takes the first runnable from the ready queue and runs it. The queue must not be empty.
  void RunOne();
  // Drops all that is ready and all timers, without running them.
  void Clear();
  // When the first timer is due; MonotonicTime::Max() without one.
  MonotonicTime NextTimer() const;
  // Fires the timers due at or before `now`.
  void FireTimers(MonotonicTime now);

 private:
  friend class TaskScope;
  using ReadyHook = boost::intrusive::member_hook<Runnable, ListHook, &Runnable::ready_hook>;

  // The ready queue went from empty to not empty.
  virtual void BecameReady() {}
  // Decides between timers that are due at the same nanosecond.
  virtual uint64_t TimerTie() { return ++timers_started_; }

  void AddScope(TaskScope& scope);

  boost::intrusive::list<Runnable, ReadyHook, boost::intrusive::constant_time_size<false>> ready_;
  boost::intrusive::multiset<Timer, boost::intrusive::constant_time_size<false>> timers_;
  uint64_t timers_started_ = 0;
  struct Scopes;
  Scopes* scopes_ = nullptr;  // Made with the first scope.
  bool crashing_ = false;
};

}  // namespace runtime

#endif  // RUNTIME_EXECUTOR_H_
