// Metrics: counters, gauges and latency histograms of one node, and their Prometheus text.
//
//   Counter& sent = world.metrics().GetCounter("isochron_messages_sent_total", "Messages queued",
//   {});
//
// Metrics live as long as the Metrics object; asking again with the same name and labels gives the
// same one, so ask once and keep the reference. Updates are lock-free and may come from any thread.
// (Kept over prometheus-cpp.)
#ifndef RUNTIME_METRICS_H_
#define RUNTIME_METRICS_H_

#include <map>
#include <memory>
#include <string>

#include "runtime/time.h"

namespace runtime {

using MetricLabels = std::map<std::string, std::string>;

// Only grows.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(double amount = 1) = 0;  // amount >= 0.
  virtual double value() const = 0;
};

// Goes up and down.
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double amount) = 0;
  virtual double value() const = 0;
};

// Durations in buckets that grow by a quarter power of two from 1 us to over a minute, so a
// quantile is right within 19 %.
class LatencyHistogram {
 public:
  virtual ~LatencyHistogram() = default;
  virtual void Record(Duration latency) = 0;
  virtual uint64_t count() const = 0;
  // The upper edge of the bucket that holds the given fraction (0.5, 0.99, 0.999); zero when empty.
  virtual Duration Quantile(double fraction) const = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // `name` as Prometheus wants it ([a-zA-Z_:][a-zA-Z0-9_:]*); counters end in _total, histograms in
  // _seconds.
  Counter& GetCounter(const std::string& name, const std::string& help, const MetricLabels& labels);
  Gauge& GetGauge(const std::string& name, const std::string& help, const MetricLabels& labels);
  LatencyHistogram& GetLatencyHistogram(const std::string& name, const std::string& help,
                                        const MetricLabels& labels);

  // All of them in Prometheus' text format; histograms with a further gauge per quantile
  // (<name>_quantile{quantile="0.5|0.99|0.999"}).
  std::string PrometheusText() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace runtime

#endif  // RUNTIME_METRICS_H_
