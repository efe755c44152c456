// Permits: how many may do something at the same time. One loop.
#ifndef PAXOS_PERMITS_H_
#define PAXOS_PERMITS_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/event.h"
#include "runtime/status_macros.h"
#include "runtime/task.h"

namespace paxos {

class Permits {
  struct State {
    size_t free;
    runtime::Event freed;
  };

 public:
  // One of them, given back when it is destroyed; also after the Permits.
  class Permit {
   public:
    explicit Permit(std::shared_ptr<State> state) : state_(std::move(state)) { --state_->free; }
    Permit(Permit&&) = default;
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (state_ == nullptr) return;
      ++state_->free;
      state_->freed.Set();
    }

   private:
    std::shared_ptr<State> state_;
  };

  explicit Permits(size_t count) : state_(std::make_shared<State>()) { state_->free = count; }

  // Waits until one is free.
  runtime::Task<absl::StatusOr<Permit>> Take() {
    const std::shared_ptr<State> state = state_;
    while (state->free == 0) {
      state->freed.Reset();
      CO_RETURN_IF_ERROR(co_await state->freed.Wait());
    }
    co_return Permit(state);
  }

 private:
  const std::shared_ptr<State> state_;
};

}  // namespace paxos

#endif  // PAXOS_PERMITS_H_
