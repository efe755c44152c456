// TaskScope: the owner of background work.
//
// Place:       a member of whatever the work belongs to, or a local of a coroutine that fans out.
//              There is no other way to run a task in the background.
// Guarantees:  a spawned task starts from the ready queue, never inside Spawn(). All tasks run
//              under the scope's CancelScope. The scope cannot end before they do: Close() (or
//              Join()) is awaited first, and the destructor CHECKs that nothing is left.
// Crash:       when the executor crashes (simulation only) the tasks are destroyed where they
// stand. Concurrency: one executor.
#ifndef RUNTIME_TASK_SCOPE_H_
#define RUNTIME_TASK_SCOPE_H_

#include <cstddef>
#include <memory>

#include "runtime/cancel_scope.h"
#include "runtime/task.h"

namespace runtime {

class TaskScope {
 public:
  // A scope on `executor`, cancelled with `parent` if that is given.
  explicit TaskScope(Executor& executor, CancelScope* parent = nullptr);
  ~TaskScope();
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;

  // Runs `task` in the background. CHECKs that the scope was not closed. Under a cancelled scope
  // the task still starts, and its first wait tells it.
  void Spawn(Task<void> task);

  // Ends all waits of the tasks with `reason`. Tasks end in their own time.
  void Cancel(absl::Status reason = absl::CancelledError("the scope of this task was cancelled"));

  // Waits until no task is left. Cancelling the caller does not end this wait; what cancels the
  // tasks is the scope's parent.
  Task<void> Join();

  // Cancels, refuses new tasks, and waits until none is left.
  Task<void> Close();

  size_t size() const { return size_; }
  bool closed() const { return closed_; }
  CancelScope& cancel_scope() { return cancel_; }

 private:
  friend class Executor;
  class Spawned;

  void Ended(Spawned* spawned);
  void DestroyTasks();

  Executor& executor_;
  CancelScope cancel_;
  ListHook executor_hook_;
  Spawned* first_ = nullptr;  // A doubly linked list of all tasks, newest first.
  size_t size_ = 0;
  bool closed_ = false;
  WaitList joining_;
};

}  // namespace runtime

#endif  // RUNTIME_TASK_SCOPE_H_
