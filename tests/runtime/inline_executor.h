// InlineExecutor: the smallest executor, for tests of the primitives. Its time moves only when
// told.
#ifndef TESTS_RUNTIME_INLINE_EXECUTOR_H_
#define TESTS_RUNTIME_INLINE_EXECUTOR_H_

#include <deque>
#include <utility>

#include "runtime/executor.h"

namespace runtime {

class InlineExecutor final : public Executor {
 public:
  ~InlineExecutor() override = default;

  void Post(absl::AnyInvocable<void()> work) override { posted_.push_back(std::move(work)); }
  MonotonicTime Now() override { return now_; }

  // Runs all that is ready or due, moving time forward by `length` as timers need it.
  void RunFor(Duration length) {
    const MonotonicTime end = now_ + length;
    const RunningHere here(this);
    while (true) {
      RunReady();
      const MonotonicTime next = NextTimer();
      if (next > end) break;
      if (next > now_) now_ = next;
      FireTimers(now_);
    }
    now_ = end;
  }
  void Run() { RunFor(Duration::zero()); }

  // Calls `work` as if the executor ran it.
  template <typename Work>
  void Do(Work work) {
    const RunningHere here(this);
    work();
  }

 private:
  void RunReady() {
    while (has_ready() || !posted_.empty()) {
      if (has_ready()) RunOne();
      if (posted_.empty()) continue;
      auto work = std::move(posted_.front());
      posted_.pop_front();
      work();
    }
  }

  MonotonicTime now_{1'000'000'000};
  std::deque<absl::AnyInvocable<void()>> posted_;
};

}  // namespace runtime

#endif  // TESTS_RUNTIME_INLINE_EXECUTOR_H_
