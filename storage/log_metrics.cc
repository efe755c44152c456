#include "storage/log_metrics.h"

#include <cstddef>
#include <string>

namespace storage {

LogMetrics::LogMetrics(runtime::Metrics& metrics)
    : writes(metrics.GetCounter("isochron_log_writes_total", "Writes made durable", {})),
      batches(metrics.GetCounter("isochron_log_batches_total", "Batches made durable", {})),
      bytes(metrics.GetCounter("isochron_log_bytes_total", "Bytes of records made durable", {})),
      relocated_bytes(metrics.GetCounter("isochron_log_relocated_bytes_total",
                                         "Bytes of records moved to clean a segment", {})),
      failures(metrics.GetCounter("isochron_log_failures_total",
                                  "Batches that could not be written or synced", {})),
      bad_copies(metrics.GetCounter("isochron_log_bad_copies_total",
                                    "Bad copies found, of which the twin was whole", {})),
      file_bytes(metrics.GetGauge("isochron_log_file_bytes", "Size of all segments", {})),
      live_bytes(
          metrics.GetGauge("isochron_log_live_bytes", "What is still needed of it, once", {})),
      segments(metrics.GetGauge("isochron_log_segments", "Segment files", {})),
      queued_bytes(metrics.GetGauge("isochron_log_queued_bytes", "Waiting to be durable", {})),
      commit_time(metrics.GetLatencyHistogram(
          "isochron_log_commit_seconds", "How long a batch took to be written and synced", {})) {
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i] =
        &metrics.GetGauge("isochron_log_state", "1 for the state that the log is in",
                          {{"state", std::string(LogStateName(static_cast<LogState>(i)))}});
  }
}

void LogMetrics::ShowState(LogState state) {
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i]->Set(i == static_cast<size_t>(state) ? 1 : 0);
  }
}

}  // namespace storage
