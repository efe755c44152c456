// Loop: one event loop of a real node: ready work, timers, posts and sockets.
//
// Place:       one per core, owned by RealWorld. Everything that belongs to a loop is touched only
//              by the thread that *owns* the loop at that moment.
// Ownership:   each loop has a thread of its own, but a loop is a strand rather than a thread: a
//              thread that brings it an event (Deliver) runs it on the spot if it is idle, for a
//              bounded time, and leaves the rest to the loop's thread. This saves a wake-up, which
//              costs a fifth of a network call. Ownership passes under `mutex_`, so what one owner
//              wrote the next one sees.
// Order:       posts are run in the order they came, ready work in the order it became ready, and a
//              turn takes a bounded number of each, so that none starves the others.
// Wake-ups:    an owner looks at the inbox under `mutex_` before it lets go, and the loop's thread
//              before it sleeps; what arrives while the loop is owned is therefore never left
//              lying, and what arrives while it is idle either wakes the thread or is run by who
//              brought it.
// Stop:        Stop() waits until nobody owns the loop and lets nobody own it again; DropAll() then
//              destroys all that is left, unrun.
#ifndef RUNTIME_REAL_LOOP_H_
#define RUNTIME_REAL_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "runtime/cancel_scope.h"
#include "runtime/executor.h"
#include "runtime/random.h"
#include "runtime/real/file_descriptor.h"
#include "runtime/real/mutex.h"

namespace real {

class Loop final : public runtime::Executor {
 public:
  using Work = absl::AnyInvocable<void()>;

  // `seed` is that of the loop's own random numbers.
  explicit Loop(uint64_t seed) : random_(seed) {}
  ~Loop() override;

  // The loop whose work this thread is running. CHECKs that there is one.
  static Loop& Current();

  // Opens what the loop needs of the kernel and starts its thread. RESOURCE_EXHAUSTED if the
  // kernel has no more to give.
  absl::Status Start();
  // From outside the loop. After it nothing runs here any more, and posts are dropped.
  void Stop();
  // After Stop(): destroys all tasks where they stand, calls `drop_more` in the loop's name, and
  // destroys all work that was not run.
  void DropAll(absl::FunctionRef<void()> drop_more);

  void Post(Work work) override;

  // Like Post, from a thread that holds no lock and may spend a little time: if the loop is idle,
  // runs it here and now. On a thread that runs a loop already it is Post.
  void Deliver(Work work);

  runtime::MonotonicTime Now() override;

  // The loop's own stream of random numbers; for its owner only.
  runtime::Random& random() { return random_; }

  // `co_await loop->Readable(fd)`: waits until `fd` can be read without blocking; absl::Status.
  // For the loop's owner; one waiter per descriptor, which stays open during the wait.
  class ReadableAwaiter final : public runtime::Waiter {
   public:
    ReadableAwaiter(Loop* loop, int fd) : loop_(loop), fd_(fd) {}
    ~ReadableAwaiter() { Unwatch(); }
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    bool await_suspend(std::coroutine_handle<Promise> coroutine) {
      if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
      Watch();
      return true;
    }
    absl::Status await_resume() {
      Unwatch();
      return std::move(status());
    }

   private:
    void Watch();
    void Unwatch();

    Loop* const loop_;
    const int fd_;
    uint64_t watch_ = 0;
  };
  [[nodiscard]] ReadableAwaiter Readable(int fd) { return ReadableAwaiter(this, fd); }

 private:
  // The life of the loop's thread.
  void ThreadMain();
  // Sleeps until a descriptor, the timer or a wake-up is due (at most `timeout_ms`, -1 for ever),
  // and posts what it finds.
  void PollDescriptors(int timeout_ms);

  // Runs turns, as the owner, until there is nothing to do or `at_most` is over; then lets the
  // loop go. True if it left work behind.
  bool RunAndRelease(runtime::Duration at_most);
  // Runs a bounded amount of what is due of each kind.
  void RunTurn();
  bool HasLocalWork() { return next_ < batch_.size() || has_ready() || TimerDue(); }
  bool TimerDue() { return NextTimer() != runtime::MonotonicTime::Max() && NextTimer() <= Now(); }

  // Makes the kernel wake the thread when the first timer is due.
  void ArmTimer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  Condition released_;
  std::vector<Work> inbox_ ABSL_GUARDED_BY(mutex_);
  bool owned_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // The thread is asleep, or about to be, and nothing has been written to wake_fd_ yet.
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;
  // When the kernel will wake the thread. Invariant: while nobody owns the loop, not later than
  // NextTimer().
  runtime::MonotonicTime armed_ ABSL_GUARDED_BY(mutex_) = runtime::MonotonicTime::Max();

  // The owner's:
  std::vector<Work> batch_;  // Taken from the inbox; those before next_ have been run.
  size_t next_ = 0;
  runtime::Random random_;
  uint64_t watches_made_ = 0;
  std::map<uint64_t, ReadableAwaiter*> watches_;

  // Set by Start(), used by any thread.
  FileDescriptor epoll_fd_;
  FileDescriptor wake_fd_;
  FileDescriptor timer_fd_;
  std::thread thread_;
};

}  // namespace real

#endif  // RUNTIME_REAL_LOOP_H_
