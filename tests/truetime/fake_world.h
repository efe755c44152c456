// FakeWorld: a World of one loop whose clocks and time move only when the test says so.
#ifndef TESTS_TRUETIME_FAKE_WORLD_H_
#define TESTS_TRUETIME_FAKE_WORLD_H_

#include <functional>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/check.h"
#include "runtime/clocks.h"
#include "runtime/datagrams.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/random.h"
#include "runtime/world.h"
#include "tests/runtime/inline_executor.h"

namespace truetime {

// True time runs with the executor's clock; each host clock is at an offset that the test sets.
class FakeClocks final : public runtime::Clocks {
 public:
  explicit FakeClocks(runtime::Executor* executor) : executor_(executor) {}

  runtime::MonotonicTime Raw() override { return Passed() + raw_offset; }
  runtime::Timestamp Realtime() override { return True() + realtime_offset; }
  runtime::Suspensions Suspended() override { return {suspended, suspended}; }

  runtime::Timestamp True() const {
    return runtime::Timestamp(1'700'000'000'000'000'000) + (Passed() - runtime::MonotonicTime(0));
  }

  // Time passes for all clocks, and the executor does not notice: its loop has stalled.
  void Stall(runtime::Duration length) { stalled_ += length; }

  runtime::Duration raw_offset{0};
  runtime::Duration realtime_offset{0};
  runtime::Duration suspended{0};

 private:
  runtime::MonotonicTime Passed() const { return executor_->Now() + stalled_; }

  runtime::Executor* const executor_;
  runtime::Duration stalled_{0};
};

class FakeLog final : public runtime::Log {
 public:
  void Write(runtime::Severity severity, absl::string_view event,
             std::initializer_list<runtime::LogField> fields) override {
    lines.push_back(runtime::FormatLogLine(severity, event, fields));
  }
  std::vector<std::string> lines;
};

class FakeExperiments final : public runtime::Experiments {
 public:
  bool Without(absl::string_view rule) override { return without.contains(std::string(rule)); }
  bool Buggify(absl::string_view) override { return false; }
  void Probe(absl::string_view path) override { probes.insert(std::string(path)); }

  std::set<std::string> without;
  std::set<std::string> probes;
};

// Answers each request with what the test put in `answer`.
class FakeDatagrams final : public runtime::Datagrams {
 public:
  runtime::Task<absl::StatusOr<std::string>> Exchange(std::string address, std::string request,
                                                      runtime::Duration timeout) override {
    (void)timeout;
    co_return answer(address, request);
  }

  std::function<absl::StatusOr<std::string>(std::string, std::string)> answer;
};

class FakeWorld final : public runtime::World {
 public:
  runtime::NodeId node() const override { return runtime::NodeId(1); }
  int loop_count() const override { return 1; }
  runtime::Executor& loop(int index) override {
    CHECK_EQ(index, 0);
    return executor;
  }
  FakeClocks& clocks() override { return fake_clocks; }
  runtime::Network& network() override { Unused(); }
  FakeDatagrams& datagrams() override { return fake_datagrams; }
  leveldb::Env& files() override { Unused(); }
  runtime::Blocking& blocking() override { Unused(); }
  FakeLog& log() override { return fake_log; }
  runtime::Metrics& metrics() override { return real_metrics; }
  FakeExperiments& experiments() override { return fake_experiments; }
  runtime::Random& random() override { return fake_random; }

  runtime::InlineExecutor executor;
  FakeClocks fake_clocks{&executor};
  FakeDatagrams fake_datagrams;
  FakeLog fake_log;
  FakeExperiments fake_experiments;
  runtime::Metrics real_metrics;
  runtime::Random fake_random{1};

 private:
  [[noreturn]] static void Unused() {
    CHECK(false) << "this test's world has no such part";
    __builtin_unreachable();
  }
};

}  // namespace truetime

#endif  // TESTS_TRUETIME_FAKE_WORLD_H_
