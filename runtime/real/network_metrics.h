// NetworkMetrics: what the network counts.
#ifndef RUNTIME_REAL_NETWORK_METRICS_H_
#define RUNTIME_REAL_NETWORK_METRICS_H_

#include <cstddef>

#include "runtime/metrics.h"

namespace real {

struct NetworkMetrics {
  explicit NetworkMetrics(runtime::Metrics* metrics)
      : calls(metrics->GetCounter("isochron_calls_total", "Calls made to other nodes", {})),
        calls_failed(metrics->GetCounter("isochron_calls_failed_total",
                                         "Calls to other nodes that gave an error", {})),
        call_latency(metrics->GetLatencyHistogram("isochron_call_seconds",
                                                  "How long calls to other nodes took", {})),
        calls_served(metrics->GetCounter("isochron_calls_served_total",
                                         "Calls from other nodes given to a handler", {})),
        calls_refused(metrics->GetCounter("isochron_calls_refused_total",
                                          "Calls refused because too many were under way", {})),
        messages_sent(metrics->GetCounter("isochron_messages_sent_total",
                                          "One-way messages put on the wire", {})),
        messages_refused(metrics->GetCounter("isochron_messages_refused_total",
                                             "Messages refused because the queue was full", {})),
        messages_received(metrics->GetCounter("isochron_messages_received_total",
                                              "One-way messages that arrived", {})),
        messages_dropped(metrics->GetCounter("isochron_messages_dropped_total",
                                             "Messages that arrived and had no handler", {})),
        batches_sent(
            metrics->GetCounter("isochron_batches_sent_total",
                                "Batches of messages, requests and replies put on the wire", {})),
        batch_bytes_sent(metrics->GetCounter("isochron_batch_bytes_sent_total",
                                             "Bytes of batches put on the wire", {})),
        peers_connected(metrics->GetGauge("isochron_peers_connected",
                                          "Peers with an open message stream from here", {})) {}

  void CountBatch(size_t bytes) {
    batches_sent.Add();
    batch_bytes_sent.Add(static_cast<double>(bytes));
  }

  runtime::Counter& calls;
  runtime::Counter& calls_failed;
  runtime::LatencyHistogram& call_latency;
  runtime::Counter& calls_served;
  runtime::Counter& calls_refused;
  runtime::Counter& messages_sent;
  runtime::Counter& messages_refused;
  runtime::Counter& messages_received;
  runtime::Counter& messages_dropped;
  runtime::Counter& batches_sent;
  runtime::Counter& batch_bytes_sent;
  runtime::Gauge& peers_connected;
};

}  // namespace real

#endif  // RUNTIME_REAL_NETWORK_METRICS_H_
