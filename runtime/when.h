// WhenAll and WhenAny: run tasks side by side on this executor and wait for all, or for the first.
//
//   std::vector<absl::Status> results = co_await WhenAll(std::move(tasks));
//   auto [index, result] = co_await WhenAny(std::move(tasks));
//
// Structured: when they return, no task is left running. WhenAny cancels the losers and waits for
// their ends, so a loser that does not listen to its cancellation holds it up. The tasks stand
// under the caller's cancel scope.
#ifndef RUNTIME_WHEN_H_
#define RUNTIME_WHEN_H_

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "runtime/check.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"

namespace runtime {

namespace internal {

template <typename T>
Task<void> StoreResult(Task<T> task, std::optional<T>* result) {
  result->emplace(co_await std::move(task));
}

template <typename T>
Task<void> StoreFirstResult(Task<T> task, size_t index, std::optional<std::pair<size_t, T>>* winner,
                            TaskScope* scope) {
  T result = co_await std::move(task);
  if (winner->has_value()) co_return;
  winner->emplace(index, std::move(result));
  scope->Cancel(absl::CancelledError("another task was first"));
}

}  // namespace internal

template <typename T>
Task<std::vector<T>> WhenAll(std::vector<Task<T>> tasks) {
  std::vector<std::optional<T>> results(tasks.size());
  TaskScope scope(Executor::Current(), co_await CurrentCancelScope());
  for (size_t i = 0; i < tasks.size(); ++i) {
    scope.Spawn(internal::StoreResult(std::move(tasks[i]), &results[i]));
  }
  co_await scope.Join();
  std::vector<T> values;
  values.reserve(results.size());
  for (std::optional<T>& result : results) values.push_back(*std::move(result));
  co_return values;
}

template <typename... T>
Task<std::tuple<T...>> WhenAll(Task<T>... tasks) {
  std::tuple<std::optional<T>...> results;
  TaskScope scope(Executor::Current(), co_await CurrentCancelScope());
  std::apply(
      [&](std::optional<T>&... slots) {
        (scope.Spawn(internal::StoreResult(std::move(tasks), &slots)), ...);
      },
      results);
  co_await scope.Join();
  co_return std::apply(
      [](std::optional<T>&... slots) { return std::tuple<T...>(*std::move(slots)...); }, results);
}

// The index of the task that ended first, and its result. CHECKs that there is a task.
template <typename T>
Task<std::pair<size_t, T>> WhenAny(std::vector<Task<T>> tasks) {
  CHECK(!tasks.empty());
  std::optional<std::pair<size_t, T>> winner;
  TaskScope scope(Executor::Current(), co_await CurrentCancelScope());
  for (size_t i = 0; i < tasks.size(); ++i) {
    scope.Spawn(internal::StoreFirstResult(std::move(tasks[i]), i, &winner, &scope));
  }
  co_await scope.Join();
  co_return *std::move(winner);
}

}  // namespace runtime

#endif  // RUNTIME_WHEN_H_
