// Stamps: puts this node's clock interval on what leaves and shows what arrives to the judge
// (TT-CONTRADICTION).
//
// Any thread. The stamper may be replaced at any time; once Set() has returned the old one is not
// called any more, so it may be destroyed.
#ifndef RUNTIME_REAL_STAMPS_H_
#define RUNTIME_REAL_STAMPS_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "runtime/network.h"
#include "runtime/real/mutex.h"

namespace real {

class Stamps {
 public:
  void Set(runtime::ClockStamper* stamper) {
    MutexLock lock(&mutex_);
    stamper_ = stamper;
  }

  // The node's interval now; all of time without a stamper.
  runtime::ClockStamp Now() {
    MutexLock lock(&mutex_);
    return stamper_ != nullptr ? stamper_->Stamp() : runtime::ClockStamp();
  }

  // `node` showed `stamp`. Callers that are no nodes (0), and nodes without a clock, say nothing.
  void Observe(runtime::NodeId node, runtime::ClockStamp stamp,
               std::optional<runtime::Duration> age_max) {
    if (node == runtime::NodeId() || stamp.earliest == runtime::Timestamp::Min()) return;
    MutexLock lock(&mutex_);
    if (stamper_ != nullptr) stamper_->Observe(node, stamp, age_max);
  }

 private:
  Mutex mutex_;  // Held during the calls, which only compute.
  runtime::ClockStamper* stamper_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace real

#endif  // RUNTIME_REAL_STAMPS_H_
