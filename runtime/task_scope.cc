#include "runtime/task_scope.h"

#include <utility>

#include "runtime/check.h"

namespace runtime {

// A running task with its place in the scope's list. Deletes itself when the task ends.
class TaskScope::Spawned final : public Runnable, public internal::TaskObserver {
 public:
  Spawned(TaskScope* scope, Task<void> task) : scope_(scope), task_(std::move(task)) {}

  Spawned* previous = nullptr;
  Spawned* next = nullptr;

 private:
  void Run() override { task_.Start(&scope_->cancel_, this); }
  // The task stands at its final suspension here, so destroying it with *this is allowed.
  void TaskEnded() override { scope_->Ended(this); }

  TaskScope* const scope_;
  Task<void> task_;
};

TaskScope::TaskScope(Executor& executor, CancelScope* parent)
    : executor_(executor), cancel_(parent) {
  executor_.AddScope(*this);
}

TaskScope::~TaskScope() {
  if (executor_.crashing()) DestroyTasks();
  CHECK_EQ(size_, 0u) << "a task scope ended with tasks in it: await Close() or Join() first";
}

void TaskScope::Spawn(Task<void> task) {
  CHECK(!closed_) << "spawned in a closed scope";
  auto* spawned = new Spawned(this, std::move(task));
  spawned->next = first_;
  if (first_ != nullptr) first_->previous = spawned;
  first_ = spawned;
  ++size_;
  executor_.Ready(*spawned);
}

void TaskScope::Ended(Spawned* spawned) {
  if (spawned->next != nullptr) spawned->next->previous = spawned->previous;
  (spawned->previous != nullptr ? spawned->previous->next : first_) = spawned->next;
  --size_;
  delete spawned;
  if (size_ > 0) return;
  while (!joining_.empty()) joining_.front().Wake();
}

void TaskScope::DestroyTasks() {
  // A frame may own the scope itself (see RunOn), which then goes with its last task: nothing of
  // *this is touched once tasks are being destroyed.
  Spawned* next = std::exchange(first_, nullptr);
  size_ = 0;
  while (next != nullptr) {
    Spawned* const spawned = next;
    next = spawned->next;
    delete spawned;
  }
}

void TaskScope::Cancel(absl::Status reason) { cancel_.Cancel(std::move(reason)); }

namespace {

class JoinAwaiter final : public Waiter {
 public:
  JoinAwaiter(const TaskScope* scope, WaitList* joining) : scope_(scope), joining_(joining) {}

  bool await_ready() const noexcept { return scope_->size() == 0; }
  bool await_suspend(std::coroutine_handle<> coroutine) {
    joining_->push_back(*this);
    return Suspend(coroutine, nullptr);
  }
  void await_resume() const noexcept {}

 private:
  const TaskScope* const scope_;
  WaitList* const joining_;
};

}  // namespace

Task<void> TaskScope::Join() {
  // A task that ends wakes the joiner through the ready queue; one spawned in between is waited for
  // too.
  while (size_ > 0) co_await JoinAwaiter(this, &joining_);
}

Task<void> TaskScope::Close() {
  closed_ = true;
  Cancel();
  co_await Join();
}

}  // namespace runtime
