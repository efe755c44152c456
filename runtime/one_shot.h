// OneShot<T>: one value, set once, awaited by one task. How a callback hands its result to a
// coroutine.
//
//   OneShot<Reply> reply;
//   ... reply.Set(value) on the same executor ...
//   CO_ASSIGN_OR_RETURN(Reply value, co_await reply.Wait());
#ifndef RUNTIME_ONE_SHOT_H_
#define RUNTIME_ONE_SHOT_H_

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/check.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace runtime {

template <typename T>
class OneShot {
 public:
  // Gives the value. CHECKs that there was none.
  void Set(T value) {
    CHECK(!value_.has_value()) << "a one-shot was set twice";
    value_.emplace(std::move(value));
    set_.Set();
  }

  bool is_set() const { return set_.is_set(); }

  // The value, or why the wait was cancelled.
  Task<absl::StatusOr<T>> Wait() {
    if (absl::Status waited = co_await set_.Wait(); !waited.ok()) co_return waited;
    co_return *std::move(value_);
  }

 private:
  std::optional<T> value_;
  Event set_;
};

}  // namespace runtime

#endif  // RUNTIME_ONE_SHOT_H_
