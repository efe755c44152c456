// The small values: time points, ids, random streams, log lines, metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <type_traits>

#include "runtime/format.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "runtime/strong_id.h"
#include "runtime/time.h"

namespace runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TimePointTest, ArithmeticSaturatesSoThatForEverStaysForEver) {
  EXPECT_EQ(Timestamp::Max() + 1ns, Timestamp::Max());
  EXPECT_EQ(Timestamp::Min() - 1ns, Timestamp::Min());
  EXPECT_EQ(Timestamp::Max() - Timestamp(-1), Duration::max());
  EXPECT_EQ(Timestamp(5) - 7ns, Timestamp(-2));
  EXPECT_EQ(Timestamp(5) - Timestamp(7), Duration(-2));
}

TEST(TimePointTest, ClocksDoNotMix) {
  static_assert(!std::is_convertible_v<Timestamp, MonotonicTime>);
  static_assert(!std::is_convertible_v<int64_t, Timestamp>);
  static_assert(!std::is_convertible_v<uint32_t, NodeId>);
}

TEST(FormatTest, DurationsAsPeopleReadThem) {
  const struct {
    Duration length;
    const char* text;
  } kCases[] = {{0ns, "0 ns"},       {-350ns, "-350 ns"},   {12345ns, "12.35 us"},
                {2040us, "2.04 ms"}, {-5s, "-5 s"},         {59900ms, "59.9 s"},
                {90s, "1 min 30 s"}, {-90s, "-1 min 30 s"}, {223500s, "62 h 5 min"}};
  for (const auto& [length, text] : kCases) EXPECT_EQ(FormatDuration(length), text);
}

TEST(RandomTest, TheSameSeedGivesTheSameStreamAndForksAreIndependent) {
  Random a(7);
  Random b(7);
  Random fork = a.Fork();
  Random same_fork = b.Fork();
  for (int i = 0; i < 100; ++i) fork.Next();
  EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(fork.Next(), same_fork.Next());
}

TEST(RandomTest, UniformReachesBothEndsAndNothingElse) {
  Random random(1);
  std::set<int64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Uniform(-2, 2));
  EXPECT_EQ(seen, (std::set<int64_t>{-2, -1, 0, 1, 2}));
  EXPECT_EQ(random.Uniform(3, 3), 3);
  random.Uniform(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max());
}

TEST(RandomTest, ExponentialHasItsMean) {
  Random random(1);
  Duration sum{};
  for (int i = 0; i < 10'000; ++i) sum += random.Exponential(1ms);
  EXPECT_GT(sum, 9'500ms);
  EXPECT_LT(sum, 10'500ms);
}

TEST(LogTest, ALineIsOneLineWhateverTheValuesHold) {
  EXPECT_EQ(
      FormatLogLine(Severity::kWarning, "truetime.state",
                    {{"state", "holdover"}, {"since", 12}, {"why", "chronyd is \"silent\"\n"}}),
      R"(warning truetime.state state=holdover since=12 why="chronyd is \"silent\"\n")");
}

TEST(MetricsTest, AskingAgainGivesTheSameMetric) {
  Metrics metrics;
  metrics.GetCounter("calls_total", "Calls", {{"peer", "2"}}).Add();
  metrics.GetCounter("calls_total", "Calls", {{"peer", "2"}}).Add(2);
  EXPECT_EQ(metrics.GetCounter("calls_total", "Calls", {{"peer", "2"}}).value(), 3);
  EXPECT_EQ(metrics.GetCounter("calls_total", "Calls", {{"peer", "3"}}).value(), 0);
}

TEST(MetricsTest, QuantilesAreRightWithinABucket) {
  Metrics metrics;
  LatencyHistogram& latency = metrics.GetLatencyHistogram("call_seconds", "Calls", {});
  EXPECT_EQ(latency.Quantile(0.5), Duration::zero());
  for (int i = 1; i <= 1000; ++i) latency.Record(i * 10us);
  EXPECT_EQ(latency.count(), 1000u);
  EXPECT_GE(latency.Quantile(0.5), 5ms);
  EXPECT_LE(latency.Quantile(0.5), 5950us);
  EXPECT_GE(latency.Quantile(0.999), 9'990us);
  EXPECT_LE(latency.Quantile(0.999), 11'889us);
}

TEST(MetricsTest, PrometheusTextHasEveryMetricAndTheQuantiles) {
  Metrics metrics;
  metrics.GetGauge("epsilon_seconds", "Half width of the interval", {}).Set(0.002);
  metrics.GetLatencyHistogram("call_seconds", "Calls", {{"method", "Echo"}}).Record(1ms);
  const std::string text = metrics.PrometheusText();
  EXPECT_THAT(text, HasSubstr("# HELP epsilon_seconds Half width of the interval\n"));
  EXPECT_THAT(text, HasSubstr("epsilon_seconds 0.002\n"));
  EXPECT_THAT(text, HasSubstr("call_seconds_count{method=\"Echo\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE call_seconds_quantile gauge\n"));
  EXPECT_THAT(text, HasSubstr("call_seconds_quantile{method=\"Echo\",quantile=\"0.999\"} 0.001"));
  EXPECT_THAT(text, Not(HasSubstr("e+")));
}

}  // namespace
}  // namespace runtime
