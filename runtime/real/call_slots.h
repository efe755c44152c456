// CallSlots: bounds the calls from other nodes that are under way here, on whichever lane they came.
//
// A call keeps its slot until its reply has been written, so that replies are bounded too. Any
// thread.
#ifndef RUNTIME_REAL_CALL_SLOTS_H_
#define RUNTIME_REAL_CALL_SLOTS_H_

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "runtime/network.h"
#include "runtime/real/network_metrics.h"

namespace real {

class CallSlots {
 public:
  CallSlots(runtime::NodeId self, int calls_max, NetworkMetrics* metrics)
      : self_(self), calls_max_(calls_max), metrics_(metrics) {}

  // OK takes a slot. RESOURCE_EXHAUSTED: there is none.
  absl::Status Take() {
    if (taken_.fetch_add(1) < calls_max_) return absl::OkStatus();
    Give();
    metrics_->calls_refused.Add();
    return absl::ResourceExhaustedError(
        absl::StrCat("node ", self_.value(), " has ", calls_max_, " calls under way already"));
  }
  void Give(int slots = 1) { taken_.fetch_sub(slots); }

 private:
  const runtime::NodeId self_;
  const int calls_max_;
  NetworkMetrics* const metrics_;
  std::atomic<int> taken_ = 0;
};

}  // namespace real

#endif  // RUNTIME_REAL_CALL_SLOTS_H_
