// AllOrFirstError: tasks side by side, of which the first error ends the others.
//
//   CO_RETURN_IF_ERROR(co_await AllOrFirstError(std::move(tasks)));
//
// Structured, as runtime/when.h: when it returns, no task is left running.
#ifndef TXN_FIRST_ERROR_H_
#define TXN_FIRST_ERROR_H_

#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"

namespace txn {

namespace internal {

inline runtime::Task<void> KeepFirstError(runtime::Task<absl::Status> task, absl::Status* first,
                                          runtime::TaskScope* scope) {
  absl::Status status = co_await std::move(task);
  if (status.ok() || !first->ok()) co_return;
  *first = std::move(status);
  scope->Cancel(absl::CancelledError("another task failed"));
}

}  // namespace internal

inline runtime::Task<absl::Status> AllOrFirstError(std::vector<runtime::Task<absl::Status>> tasks) {
  // Most often there is one.
  if (tasks.size() == 1) co_return co_await std::move(tasks.front());
  absl::Status first;
  runtime::TaskScope scope(runtime::Executor::Current(), co_await runtime::CurrentCancelScope());
  for (runtime::Task<absl::Status>& task : tasks) {
    scope.Spawn(internal::KeepFirstError(std::move(task), &first, &scope));
  }
  co_await scope.Join();
  co_return first;
}

}  // namespace txn

#endif  // TXN_FIRST_ERROR_H_
