#include "runtime/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace runtime {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter* counter) : counter_(counter) {}
  void Add(double amount) override { counter_->Increment(amount); }
  double value() const override { return counter_->Value(); }

 private:
  prometheus::Counter* const counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_->Set(value); }
  void Add(double amount) override { gauge_->Increment(amount); }
  double value() const override { return gauge_->Value(); }

 private:
  prometheus::Gauge* const gauge_;
};

// Upper bucket edges in seconds: 1 us * 2^(i/4), past one minute.
const std::vector<double>& BucketEdges() {
  static const auto* const edges = [] {
    auto* made = new std::vector<double>;
    for (int i = 0; made->empty() || made->back() < 60; ++i)
      made->push_back(1e-6 * std::exp2(i / 4.0));
    return made;
  }();
  return *edges;
}

class PrometheusLatency final : public LatencyHistogram {
 public:
  explicit PrometheusLatency(prometheus::Histogram* histogram) : histogram_(histogram) {}

  void Record(Duration latency) override {
    histogram_->Observe(static_cast<double>(latency.count()) * 1e-9);
  }

  uint64_t count() const override { return histogram_->Collect().histogram.sample_count; }

  Duration Quantile(double fraction) const override {
    const prometheus::ClientMetric::Histogram collected = histogram_->Collect().histogram;
    if (collected.sample_count == 0) return Duration::zero();
    const double rank = fraction * static_cast<double>(collected.sample_count);
    for (const auto& bucket : collected.bucket) {
      if (static_cast<double>(bucket.cumulative_count) < rank) continue;
      if (std::isinf(bucket.upper_bound)) break;
      return Duration(std::llround(bucket.upper_bound * 1e9));
    }
    return Duration::max();
  }

 private:
  prometheus::Histogram* const histogram_;
};

// A metric is found again by its name and labels.
template <typename Face>
using Faces = std::map<std::pair<std::string, MetricLabels>, std::unique_ptr<Face>>;

template <typename Face, typename Make>
Face& FindOrMake(Faces<Face>& faces, const std::string& name, const MetricLabels& labels,
                 Make make) {
  std::unique_ptr<Face>& face = faces[{name, labels}];
  if (face == nullptr) face = std::make_unique<Face>(&make());
  return *face;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  // Guards the maps, not the metrics in them, which are atomic.
  std::mutex mutex;
  Faces<PrometheusCounter> counters;
  Faces<PrometheusGauge> gauges;
  Faces<PrometheusLatency> latencies;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::GetCounter(const std::string& name, const std::string& help,
                             const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  return FindOrMake(state_->counters, name, labels, [&]() -> prometheus::Counter& {
    return prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry).Add(labels);
  });
}

Gauge& Metrics::GetGauge(const std::string& name, const std::string& help,
                         const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  return FindOrMake(state_->gauges, name, labels, [&]() -> prometheus::Gauge& {
    return prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry).Add(labels);
  });
}

LatencyHistogram& Metrics::GetLatencyHistogram(const std::string& name, const std::string& help,
                                               const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  return FindOrMake(state_->latencies, name, labels, [&]() -> prometheus::Histogram& {
    return prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Register(state_->registry)
        .Add(labels, BucketEdges());
  });
}

std::string Metrics::PrometheusText() const {
  const std::lock_guard lock(state_->mutex);
  std::string text = prometheus::TextSerializer().Serialize(state_->registry.Collect());
  std::string family;
  for (const auto& [key, latency] : state_->latencies) {
    const auto& [name, labels] = key;
    if (name != family) absl::StrAppend(&text, "# TYPE ", name, "_quantile gauge\n");
    family = name;
    std::string prefix = absl::StrCat(name, "_quantile{");
    for (const auto& [label, value] : labels) absl::StrAppend(&prefix, label, "=\"", value, "\",");
    for (const char* fraction : {"0.5", "0.99", "0.999"}) {
      const Duration edge = latency->Quantile(std::stod(fraction));
      absl::StrAppend(&text, prefix, "quantile=\"", fraction, "\"} ",
                      static_cast<double>(edge.count()) * 1e-9, "\n");
    }
  }
  return text;
}

}  // namespace runtime
