// LogMetrics: what the log store counts.
#ifndef STORAGE_LOG_METRICS_H_
#define STORAGE_LOG_METRICS_H_

#include <array>

#include "runtime/metrics.h"
#include "storage/log_store.h"

namespace storage {

class LogMetrics {
 public:
  explicit LogMetrics(runtime::Metrics& metrics);

  void ShowState(LogState state);

  runtime::Counter& writes;
  runtime::Counter& batches;
  runtime::Counter& bytes;
  runtime::Counter& relocated_bytes;
  runtime::Counter& failures;
  runtime::Counter& bad_copies;
  runtime::Gauge& file_bytes;
  runtime::Gauge& live_bytes;
  runtime::Gauge& segments;
  runtime::Gauge& queued_bytes;
  runtime::LatencyHistogram& commit_time;

 private:
  std::array<runtime::Gauge*, 5> states_;
};

}  // namespace storage

#endif  // STORAGE_LOG_METRICS_H_
