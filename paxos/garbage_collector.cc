#include "paxos/garbage_collector.h"

#include <string>
#include <utility>

#include "paxos/instruments.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"
#include "storage/store.h"

namespace paxos {

using runtime::Task;

// While it lives, a pass is under way.
class GarbageCollector::Running {
 public:
  explicit Running(GarbageCollector* collector) : collector_(*collector) {
    CHECK(collector_.idle_.is_set()) << "one pass at a time";
    collector_.idle_.Reset();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { collector_.idle_.Set(); }

 private:
  GarbageCollector& collector_;
};

GarbageCollector::GarbageCollector(GroupHome* home, storage::GroupId group,
                                   const StateMachine* machine)
    : home_(*home), group_(group), machine_(*machine) {
  idle_.Set();
}

Task<absl::Status> GarbageCollector::Collect(Timestamp horizon, Timestamp newest) {
  if (!collected_) {
    storage::Store* const store = home_.store();
    if (stopped_ || store == nullptr) co_return absl::UnavailableError("there is no state now");
    CO_ASSIGN_OR_RETURN(const storage::View view, store->NewView(group_));
    collected_ = view.horizon();
  }
  if (horizon <= *collected_ || newest <= *collected_) co_return absl::OkStatus();
  const Running running(this);
  CO_RETURN_IF_ERROR(co_await CollectFrom(horizon));
  collected_ = horizon;
  co_return absl::OkStatus();
}

Task<absl::Status> GarbageCollector::CollectFrom(Timestamp horizon) {
  std::optional<std::string> resume = "";
  while (resume) {
    storage::Store* const store = home_.store();
    if (stopped_ || store == nullptr) co_return absl::UnavailableError("it was stopped");
    CO_ASSIGN_OR_RETURN(
        storage::WorkStep step,
        co_await store->CollectGarbage(group_, machine_.range(), horizon, *std::move(resume)));
    home_.instruments().collected.Add(static_cast<double>(step.deleted));
    resume = std::move(step.resume);
  }
  co_return absl::OkStatus();
}

Task<absl::Status> GarbageCollector::Stop() {
  stopped_ = true;
  co_return co_await idle_.Wait();
}

void GarbageCollector::Resume() {
  stopped_ = false;
  collected_.reset();
}

}  // namespace paxos
