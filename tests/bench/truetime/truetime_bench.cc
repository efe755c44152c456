// What TrueTime costs, each figure beside something measured in the same run.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runtime/clocks.h"
#include "runtime/datagrams.h"
#include "runtime/format.h"
#include "runtime/real/real_world.h"
#include "runtime/sleep.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/report.h"
#include "tests/cluster/chrony_pair.h"
#include "truetime/chrony_source.h"
#include "truetime/fixed_source.h"
#include "truetime/truetime.h"

namespace {

using bench::Report;
using real::RealWorld;
using runtime::Duration;
using runtime::MonotonicTime;
using runtime::Task;
using runtime::Timestamp;
using truetime::TrueTime;
using namespace std::chrono_literals;

constexpr int kCallsPerRound = 1000;
constexpr int kRounds = 2000;
constexpr int kWaits = 200;
constexpr int kReadings = 1000;

Duration Median(std::vector<Duration> samples) {
  std::nth_element(samples.begin(), samples.begin() + static_cast<ptrdiff_t>(samples.size() / 2),
                   samples.end());
  return samples[samples.size() / 2];
}

int64_t ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// Keeps a value that nobody uses.
template <typename T>
void Keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

// Nanoseconds of one call of each, measured in turns. Of many short rounds the quick ones count:
// those that nothing else on the machine got between.
template <typename First, typename Second>
std::pair<double, double> TimesOf(RealWorld* world, First first, Second second) {
  const auto round = [world](auto& call) {
    const MonotonicTime begin = world->clocks().Raw();
    for (int i = 0; i < kCallsPerRound; ++i) Keep(call());
    return static_cast<double>((world->clocks().Raw() - begin).count()) / kCallsPerRound;
  };
  std::vector<double> firsts;
  std::vector<double> seconds;
  for (int i = 0; i < kRounds; ++i) {
    firsts.push_back(round(first));
    seconds.push_back(round(second));
  }
  const auto quick = [](std::vector<double>& times) {
    std::nth_element(times.begin(), times.begin() + kRounds / 20, times.end());
    return times[kRounds / 20];
  };
  return {quick(firsts), quick(seconds)};
}

// The host's clock with a bound that grows, as chrony's does.
class GrowingSource final : public truetime::TimeSource {
 public:
  explicit GrowingSource(RealWorld* world) : world_(world) {}
  std::string name() const override { return "growing"; }
  truetime::BaseClock base() const override { return truetime::BaseClock::kRaw; }
  Task<absl::StatusOr<truetime::Reading>> Read() override {
    truetime::Reading reading;
    reading.before = truetime::ReadBase(world_->clocks(), base());
    reading.interval = truetime::Interval::Around(world_->clocks().Realtime(), 1ms);
    reading.after = truetime::ReadBase(world_->clocks(), base());
    co_return reading;
  }

 private:
  RealWorld* const world_;
};

double Microseconds(Duration length) {
  return std::chrono::duration<double, std::micro>(length).count();
}

Task<void> MeasureNow(RealWorld* world, Report* report) {
  for (const bool growing : {true, false}) {
    std::unique_ptr<truetime::TimeSource> source;
    if (growing) {
      source = std::make_unique<GrowingSource>(world);
    } else {
      source = std::make_unique<truetime::FixedSource>(world, 1ms);
    }
    TrueTime truetime(world, std::move(source), {});
    truetime.Start();
    (co_await truetime.WaitUntilSafe()).IgnoreError();
    const clockid_t clock = growing ? CLOCK_MONOTONIC_RAW : CLOCK_REALTIME;
    const auto [reference, now] = TimesOf(
        world, [clock] { return ReadClock(clock); }, [&truetime] { return truetime.Now(); });
    report->Record({.figure = growing ? "TrueTime::Now()" : "TrueTime::Now(), fixed source",
                    .unit = "ns",
                    .value = now,
                    .reference = "clock_gettime",
                    .reference_value = reference,
                    .bound = 3});
    co_await truetime.Close();
  }
}

// By how much a plain thread oversleeps, which is what the machine allows.
Duration PlainOversleep(Duration length) {
  std::vector<Duration> samples;
  for (int i = 0; i < kWaits / 2; ++i) {
    const int64_t until = ReadClock(CLOCK_MONOTONIC) + length.count();
    const timespec deadline = {until / 1'000'000'000, until % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nullptr);
    samples.emplace_back(ReadClock(CLOCK_MONOTONIC) - until);
  }
  return Median(samples);
}

Task<void> MeasureCommitWait(RealWorld* world, Report* report) {
  for (const Duration epsilon : {Duration(100us), Duration(1ms), Duration(5ms), Duration(10ms)}) {
    TrueTime truetime(world, std::make_unique<truetime::FixedSource>(world, epsilon), {});
    truetime.Start();
    (co_await truetime.WaitUntilSafe()).IgnoreError();
    std::vector<Duration> oversleeps;
    for (int i = 0; i < kWaits; ++i) {
      const Timestamp commit = truetime.Now().latest;
      (co_await truetime.WaitUntilAfter(commit)).IgnoreError();
      // The first moment was when earliest had just passed the commit.
      oversleeps.push_back(truetime.Now().earliest - commit - 1ns);
    }
    report->Record(
        {.figure = "WaitUntilAfter oversleeps, epsilon " + runtime::FormatDuration(epsilon),
         .unit = "us",
         .value = Microseconds(Median(oversleeps)),
         .reference = "clock_nanosleep oversleeps",
         .reference_value = Microseconds(PlainOversleep(2 * epsilon)),
         .bound = 60,
         .bound_is_ratio = false});
    co_await truetime.Close();
  }
}

Task<absl::Status> MeasureReadings(RealWorld* world, std::string address, Report* report) {
  truetime::ChronySource source(world, {.addresses = {address}});
  while (!(co_await source.Read()).ok()) {
    if (absl::Status slept = co_await runtime::SleepFor(20ms); !slept.ok()) co_return slept;
  }
  std::vector<Duration> exchanges;
  std::vector<Duration> readings;
  for (int i = 0; i < kReadings; ++i) {
    const MonotonicTime begin = world->clocks().Raw();
    (co_await world->datagrams().Exchange(address, truetime::EncodeTrackingRequest(1), 1s))
        .status()
        .IgnoreError();
    const MonotonicTime middle = world->clocks().Raw();
    if (absl::StatusOr<truetime::Reading> reading = co_await source.Read(); !reading.ok()) {
      co_return reading.status();
    }
    exchanges.push_back(middle - begin);
    readings.push_back(world->clocks().Raw() - middle);
  }
  // A reading asks three questions: tracking, how many sources, and the selected one.
  report->Record({.figure = "a reading from chronyd",
                  .unit = "us",
                  .value = Microseconds(Median(readings)),
                  .reference = "one exchange with chronyd",
                  .reference_value = Microseconds(Median(exchanges)),
                  .bound = 4});
  co_return absl::OkStatus();
}

int Run(Report* report) {
  real::RealWorldOptions options;
  options.loops = 1;
  options.log = real::LogDestination::kNowhere;
  absl::StatusOr<std::unique_ptr<RealWorld>> world = RealWorld::Create(options);
  if (!world.ok()) {
    std::fprintf(stderr, "%s\n", world.status().ToString().c_str());
    return 2;
  }
  (*world)->RunUntilDone(MeasureNow(world->get(), report));
  (*world)->RunUntilDone(MeasureCommitWait(world->get(), report));
  if (const std::string why = cluster::ChronyPair::WhyNot(); !why.empty()) {
    std::printf("no readings from chronyd: %s\n", why.c_str());
  } else if (absl::StatusOr<cluster::ChronyPair> pair = cluster::ChronyPair::Create(); pair.ok()) {
    const absl::Status measured =
        (*world)->RunUntilDone(MeasureReadings(world->get(), pair->follower_socket(), report));
    if (!measured.ok()) std::printf("no readings from chronyd: %s\n", measured.ToString().c_str());
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return bench::Main(argc, argv, "What TrueTime costs", Run); }
