#include "runtime/simulated/scheduler.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"
#include "runtime/simulated/simulated_executor.h"

namespace simulated {
namespace {

// Order of a heap whose front is the first to happen.
constexpr auto kLater = [](const auto& a, const auto& b) {
  return a.when != b.when ? a.when > b.when : a.tie > b.tie;
};

}  // namespace

void Scheduler::After(Duration delay, absl::AnyInvocable<void()> event) {
  CHECK_GE(delay.count(), 0);
  on_its_way_.push_back({now() + delay, random_.Next(), std::move(event)});
  std::push_heap(on_its_way_.begin(), on_its_way_.end(), kLater);
}

void Scheduler::Remove(SimulatedExecutor* executor) {
  Unlist(executor);
  executors_.erase(std::find(executors_.begin(), executors_.end(), executor));
}

void Scheduler::Reconsider(SimulatedExecutor* executor) {
  const bool listed = executor->ready_position_ != SimulatedExecutor::kNotReady;
  if (executor->can_run() == listed) return;
  if (listed) return Unlist(executor);
  executor->ready_position_ = ready_.size();
  ready_.push_back(executor);
}

void Scheduler::Unlist(SimulatedExecutor* executor) {
  const size_t position = executor->ready_position_;
  if (position == SimulatedExecutor::kNotReady) return;
  ready_[position] = ready_.back();
  ready_[position]->ready_position_ = position;
  ready_.pop_back();
  executor->ready_position_ = SimulatedExecutor::kNotReady;
}

bool Scheduler::AnyCanRun() {
  // A runnable that is destroyed leaves its queue without telling anybody.
  for (size_t i = ready_.size(); i-- > 0;) {
    if (!ready_[i]->can_run()) Unlist(ready_[i]);
  }
  return !ready_.empty();
}

MonotonicTime Scheduler::NextDue() const {
  MonotonicTime next = on_its_way_.empty() ? MonotonicTime::Max() : on_its_way_.front().when;
  for (const SimulatedExecutor* executor : executors_) next = std::min(next, executor->NextDue());
  return next == MonotonicTime::Max() ? next : std::max(next, now());
}

MonotonicTime Scheduler::NextTime() { return AnyCanRun() ? now() : NextDue(); }

bool Scheduler::Step() {
  if (AnyCanRun()) {
    RunReady();
  } else {
    const MonotonicTime next = NextDue();
    if (next == MonotonicTime::Max()) return false;
    if (next > now()) {
      recorder_.AdvanceTo(next);
      events_at_this_moment_ = 0;
    }
    HappenDue(next);
  }
  ++events_;
  ++events_at_this_moment_;
  return true;
}

void Scheduler::RunReady() {
  const size_t count = ready_.size();
  const size_t drawn =
      count == 1 ? 0 : static_cast<size_t>(random_.Uniform(0, static_cast<int64_t>(count) - 1));
  SimulatedExecutor* const executor = ready_[drawn];
  recorder_.Fold(Happened::kRan, executor->id());
  executor->RunNext();
}

void Scheduler::HappenDue(MonotonicTime when) {
  due_.clear();
  for (SimulatedExecutor* executor : executors_) {
    if (executor->NextDue() <= when) due_.push_back(executor);
  }
  const bool on_its_way = !on_its_way_.empty() && on_its_way_.front().when <= when;
  const size_t count = due_.size() + (on_its_way ? 1 : 0);
  const size_t drawn =
      count == 1 ? 0 : static_cast<size_t>(random_.Uniform(0, static_cast<int64_t>(count) - 1));
  if (drawn == due_.size()) return HappenOnItsWay();
  recorder_.Fold(Happened::kTimer, due_[drawn]->id());
  due_[drawn]->FireDue();
}

void Scheduler::HappenOnItsWay() {
  std::pop_heap(on_its_way_.begin(), on_its_way_.end(), kLater);
  OnItsWay happening = std::move(on_its_way_.back());
  on_its_way_.pop_back();
  recorder_.Fold(Happened::kArrived, happening.tie);
  SimulatedExecutor::DoOutside(std::move(happening.event));
}

}  // namespace simulated
