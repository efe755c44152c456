// Blocking: runs what would stall an event loop (fsync, LevelDB, name look-up) elsewhere.
//
//   absl::Status status = co_await RunBlocking(&world.blocking(), [db, batch] { return Write(db,
//   batch); });
//
// In the real world on helper threads; in the simulated one at once on the simulation's thread,
// while the time it costs passes before the task goes on. A call that has begun is not interrupted:
// cancelling the caller changes nothing, it waits for the end. The number of calls that wait is
// bounded; past that the caller waits for its turn.
#ifndef RUNTIME_BLOCKING_H_
#define RUNTIME_BLOCKING_H_

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "runtime/task.h"

namespace runtime {

class Blocking {
 public:
  virtual ~Blocking() = default;

  // Ends when `work` has run.
  virtual Task<void> Run(absl::AnyInvocable<void()> work) = 0;
};

namespace internal {

// `work` and its result, which outlive a task that is destroyed while the work still runs.
template <typename Work>
struct BlockingWork {
  Work work;
  std::optional<std::invoke_result_t<Work&>> result;
};

}  // namespace internal

// The result of `work()`, run by `blocking`. What `work` captures must not be touched by others
// meanwhile.
template <typename Work>
Task<std::invoke_result_t<Work&>> RunBlocking(Blocking* blocking, Work work) {
  auto state = std::make_shared<internal::BlockingWork<Work>>(
      internal::BlockingWork<Work>{std::move(work), std::nullopt});
  co_await blocking->Run([state] { state->result.emplace(state->work()); });
  co_return *std::move(state->result);
}

}  // namespace runtime

#endif  // RUNTIME_BLOCKING_H_
