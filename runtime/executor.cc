#include "runtime/executor.h"

#include "runtime/check.h"
#include "runtime/task_scope.h"

namespace runtime {
namespace {

thread_local Executor* current_executor = nullptr;

}  // namespace

struct Executor::Scopes {
  using Hook = boost::intrusive::member_hook<TaskScope, ListHook, &TaskScope::executor_hook_>;
  boost::intrusive::list<TaskScope, Hook, boost::intrusive::constant_time_size<false>> list;
};

Executor::~Executor() {
  CHECK(scopes_ == nullptr || scopes_->list.empty()) << "an executor ended before its task scopes";
  delete scopes_;
  Clear();
}

Executor& Executor::Current() {
  CHECK(current_executor != nullptr) << "called outside any event loop";
  return *current_executor;
}

Executor* Executor::CurrentOrNull() { return current_executor; }

Executor::RunningHere::RunningHere(Executor* executor) : before_(current_executor) {
  current_executor = executor;
}

Executor::RunningHere::~RunningHere() { current_executor = before_; }

void Executor::Ready(Runnable& runnable) {
  if (crashing_) return;
  const bool was_empty = ready_.empty();
  ready_.push_back(runnable);
  if (was_empty) BecameReady();
}

void Executor::RunOne() {
  Runnable& runnable = ready_.front();
  ready_.pop_front();
  runnable.Run();
}

void Executor::Clear() {
  ready_.clear();
  timers_.clear();
}

void Executor::StartTimer(Timer& timer, MonotonicTime when) {
  timer.unlink();
  if (crashing_) return;
  timer.when_ = when;
  timer.tie_ = TimerTie();
  timers_.insert(timer);
}

MonotonicTime Executor::NextTimer() const {
  return timers_.empty() ? MonotonicTime::Max() : timers_.begin()->when();
}

void Executor::FireTimers(MonotonicTime now) {
  while (!timers_.empty() && timers_.begin()->when() <= now) {
    Timer& timer = *timers_.begin();
    timer.unlink();
    timer.Fire();
  }
}

void Executor::AddScope(TaskScope& scope) {
  if (scopes_ == nullptr) scopes_ = new Scopes;
  scopes_->list.push_back(scope);
}

void Executor::DestroyAllTasks() {
  crashing_ = true;
  Clear();
  // Destroying a task may destroy scopes that live in its frame, so the list is taken anew each
  // time.
  while (scopes_ != nullptr && !scopes_->list.empty()) {
    TaskScope& scope = scopes_->list.front();
    scope.executor_hook_.unlink();
    scope.DestroyTasks();
  }
  Clear();
}

}  // namespace runtime
