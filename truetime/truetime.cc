#include "truetime/truetime.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/clocks.h"
#include "runtime/deadline.h"
#include "runtime/executor.h"
#include "runtime/experiments.h"
#include "runtime/log.h"
#include "runtime/metrics.h"
#include "runtime/status_macros.h"

namespace truetime {

namespace {

constexpr ClockState kAllStates[] = {ClockState::kWaiting, ClockState::kSynchronised,
                                     ClockState::kHoldover, ClockState::kUnbounded,
                                     ClockState::kDisrupted};

// The rules that can be switched off are read once, here, so that they cost nothing later.
IntervalClockOptions WithExperiments(IntervalClockOptions options,
                                     runtime::Experiments& experiments) {
  if (experiments.Without("TT-BOUND")) options.drift_ppm = 0;
  if (experiments.Without("TT-MONOTONE")) options.hold_floors = false;
  if (experiments.Without("TT-INTERSECT")) options.intersect_readings = false;
  return options;
}

// Waits for a moment of the executor's clock, or to be woken from `list`.
class ClockWait final : public runtime::Waiter, private runtime::Timer {
 public:
  ClockWait(runtime::WaitList* list, MonotonicTime until) : list_(list), until_(until) {}
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> coroutine) {
    list_->push_back(*this);
    if (!Suspend(coroutine, coroutine.promise().cancel)) return false;
    runtime::Executor::Current().StartTimer(*this, until_);
    return true;
  }
  absl::Status await_resume() { return std::move(status()); }

 private:
  void Fire() override { Wake(); }

  runtime::WaitList* const list_;
  const MonotonicTime until_;
};

runtime::Task<absl::Status> WaitFor(runtime::Event* event) { co_return co_await event->Wait(); }

// How long to sleep when `length` has to pass on the base clock. All but the last moment is slept
// in parts that end early: the executor's clock is steered and may run at another rate, and from a
// long sleep a processor wakes late (up to 200 us in a virtual machine, 40 us from a short one).
// The last part is stretched by a usual rate error, since waking too early costs a further sleep.
Duration SleepFor(Duration length) {
  constexpr Duration kLastPart(300'000);
  if (length == Duration::max()) return length;
  if (length > 2 * kLastPart) return length - std::max(kLastPart, length / 16);
  return length + length / 10'000;
}

}  // namespace

struct TrueTime::LoopWaiters {
  runtime::WaitList list;

  void WakeAll() {
    while (!list.empty()) list.front().Wake();
  }
};

struct TrueTime::Instruments {
  explicit Instruments(runtime::Metrics& metrics)
      : epsilon(metrics.GetGauge("isochron_truetime_epsilon_seconds",
                                 "Half the width of the clock interval", {})),
        readings(metrics.GetCounter("isochron_truetime_readings_total",
                                    "Readings that the time source gave", {})),
        failures(metrics.GetCounter("isochron_truetime_reading_failures_total",
                                    "Readings that the time source did not give", {})),
        disjoint(metrics.GetCounter("isochron_truetime_disjoint_readings_total",
                                    "Readings disjoint from those before them", {})),
        steps(metrics.GetCounter("isochron_truetime_clock_steps_total",
                                 "Steps of the realtime clock and suspensions", {})),
        reading_time(metrics.GetLatencyHistogram("isochron_truetime_reading_seconds",
                                                 "How long a reading took", {})) {
    for (const ClockState state : kAllStates) {
      states[static_cast<size_t>(state)] =
          &metrics.GetGauge("isochron_truetime_state", "1 for the state that the clock is in",
                            {{"state", std::string(ClockStateName(state))}});
    }
  }

  runtime::Gauge& epsilon;
  runtime::Counter& readings;
  runtime::Counter& failures;
  runtime::Counter& disjoint;
  runtime::Counter& steps;
  runtime::LatencyHistogram& reading_time;
  std::array<runtime::Gauge*, std::size(kAllStates)> states;
};

TrueTime::TrueTime(runtime::World* world, std::unique_ptr<TimeSource> source,
                   TrueTimeOptions options)
    : world_(world),
      source_(std::move(source)),
      options_(options),
      base_(source_->base()),
      instruments_(std::make_unique<Instruments>(world->metrics())),
      unsafe_after_(MonotonicTime::Min().nanoseconds()),
      realtime_high_(world->clocks().Realtime().nanoseconds()),
      peers_(world, options.peers, options.clock.drift_ppm),
      clock_(WithExperiments(options.clock, world->experiments()), base_, ReadClocks()) {
  for (int i = 0; i < world->loop_count(); ++i) {
    waiters_.push_back(std::make_shared<LoopWaiters>());
  }
  Publish();
}

TrueTime::~TrueTime() { *self_ = nullptr; }

void TrueTime::Start() {
  CHECK(!scope_.has_value()) << "TrueTime is started once";
  scope_.emplace(world_->loop(0));
  scope_->Spawn(PollLoop());
}

runtime::Task<void> TrueTime::Close() {
  if (scope_.has_value()) co_await scope_->Close();
}

ClockMoment TrueTime::ReadClocks() const {
  // A thread that is put aside between two of the reads would look like a step: of a few attempts
  // the quickest counts.
  constexpr int kAttempts = 5;
  constexpr Duration kQuick(20'000);
  runtime::Clocks& clocks = world_->clocks();
  ClockMoment quickest;
  Duration took = Duration::max();
  for (int i = 0; i < kAttempts && took > kQuick; ++i) {
    const ClockMoment moment = {clocks.Raw(), clocks.Realtime(), clocks.Suspended()};
    if (const Duration length = clocks.Raw() - moment.raw; length < took) {
      took = length;
      quickest = moment;
    }
  }
  return quickest;
}

BaseTime TrueTime::ReadBaseClock() const {
  const BaseTime base = ReadBase(world_->clocks(), base_);
  if (base_ == BaseClock::kRaw) return base;
  // TT-MONOTONE: the realtime clock can be set back, and a thread may use a reading late.
  int64_t high = realtime_high_.load(std::memory_order_relaxed);
  while (base.nanoseconds() > high) {
    if (realtime_high_.compare_exchange_weak(high, base.nanoseconds())) return base;
  }
  return BaseTime(high);
}

Interval TrueTime::Now() const {
  const auto [function, base] = function_.Load([this] { return ReadBaseClock(); });
  return function.At(base);
}

bool TrueTime::SuspendedSincePoll() const {
  return world_->clocks().Suspended().at_least.count() >
         suspended_at_most_.load(std::memory_order_relaxed);
}

bool TrueTime::TimeSafe() const {
  return truetime::TimeSafe(state()) &&
         world_->clocks().Raw().nanoseconds() <= unsafe_after_.load(std::memory_order_relaxed) &&
         !SuspendedSincePoll();
}

absl::Status TrueTime::CheckSafe() const {
  if (TimeSafe()) return absl::OkStatus();
  ClockState now = state();
  // The state lags behind a poll loop that has stalled, and behind a suspension that no poll has
  // seen yet.
  if (truetime::TimeSafe(now)) {
    now = SuspendedSincePoll() ? ClockState::kDisrupted : ClockState::kUnbounded;
  }
  return absl::UnavailableError(
      absl::StrCat("this node is time-unsafe: its clock is ", ClockStateName(now), " (TT-STATES)"));
}

runtime::Task<absl::Status> TrueTime::WaitUntilAfter(Timestamp time) {
  runtime::Executor& executor = runtime::Executor::Current();
  int loop = 0;
  while (&world_->loop(loop) != &executor) {
    CHECK_LT(++loop, world_->loop_count()) << "WaitUntilAfter outside the loops of its World";
  }
  const std::shared_ptr<LoopWaiters> waiters = waiters_[static_cast<size_t>(loop)];
  while (true) {
    const auto [function, base] = function_.Load([this] { return ReadBaseClock(); });
    const Duration missing = function.UntilPast(time, base);
    if (missing == Duration(0)) co_return absl::OkStatus();
    CO_RETURN_IF_ERROR(co_await ClockWait(&waiters->list, executor.Now() + SleepFor(missing)));
  }
}

runtime::Task<absl::Status> TrueTime::WaitUntilSafe() {
  while (!TimeSafe()) {
    state_changed_.Reset();
    CO_RETURN_IF_ERROR(co_await state_changed_.Wait());
  }
  co_return absl::OkStatus();
}

runtime::ClockStamp TrueTime::Stamp() {
  const Interval now = Now();
  return {now.earliest, now.latest};
}

void TrueTime::Observe(runtime::NodeId peer, runtime::ClockStamp stamp,
                       std::optional<Duration> age_max) {
  const MonotonicTime at = world_->clocks().Raw();
  const Interval own = Now();
  const std::optional<Interval> claim = peers_.NotableClaim(peer, stamp, age_max, at, own);
  if (!claim.has_value()) return;
  runtime::Executor& home = world_->loop(0);
  if (runtime::Executor::CurrentOrNull() == &home) return Compare(peer, *claim, at, own);
  home.Post([self = self_, peer, claim = *claim, at, own] {
    if (*self != nullptr) (*self)->Compare(peer, claim, at, own);
  });
}

void TrueTime::Compare(runtime::NodeId peer, Interval claim, MonotonicTime at, Interval own) {
  ApplyVerdict(peers_.Compare(peer, claim, at, own));
}

void TrueTime::ApplyVerdict(const ContradictionDetector::Verdict& verdict) {
  if (verdict.outside == outside_) return;
  outside_ = verdict.outside;
  clock_.Observe(ReadClocks());
  clock_.SetOutsideMajority(
      outside_ ? std::make_optional<std::string>("this clock is outside what a majority of nodes "
                                                 "has in common")
               : std::nullopt);
  Publish();
}

void TrueTime::Inject(Injection injection) {
  injection_ = injection;
  clock_.Observe(ReadClocks());
  clock_.Inject(injection);
  Publish();
}

runtime::Task<void> TrueTime::PollLoop() {
  const runtime::CancelScope& cancel = scope_->cancel_scope();
  while (!cancel.cancelled()) {
    poll_now_.Reset();
    co_await PollOnce();
    // Ends with the period, with PollSoon(), or with Close(), which the loop's condition finds.
    (co_await runtime::WithTimeout(options_.poll_period, WaitFor(&poll_now_))).IgnoreError();
  }
}

runtime::Task<void> TrueTime::PollOnce() {
  const IntervalClockCounters before = clock_.counters();
  const ClockMoment begin = ReadClocks();
  clock_.Observe(begin);
  absl::StatusOr<Reading> reading =
      co_await runtime::WithTimeout(options_.read_timeout, source_->Read());
  const ClockMoment end = ReadClocks();
  clock_.Observe(end);
  instruments_->reading_time.Record(end.raw - begin.raw);
  if (reading.ok()) {
    clock_.Accept(*reading);
    last_reading_ = *std::move(reading);
    last_failure_ = absl::OkStatus();
    instruments_->readings.Add();
  } else {
    last_failure_ = reading.status();
    clock_.Miss(std::string(last_failure_.message()));
    instruments_->failures.Add();
  }
  Publish();
  Count(before);
  ApplyVerdict(peers_.Judge(world_->clocks().Raw(), Now()));
}

void TrueTime::Publish() {
  const ClockFunction before = clock_.published();
  function_.Store([this] { return clock_.Publish(ReadBaseClock()); });
  state_.store(clock_.state(), std::memory_order_relaxed);
  unsafe_after_.store(clock_.unsafe_after().nanoseconds(), std::memory_order_relaxed);
  suspended_at_most_.store(clock_.suspended_at_most().count(), std::memory_order_relaxed);

  const ClockFunction& now = clock_.published();
  const BaseTime base = ReadBaseClock();
  instruments_->epsilon.Set(std::chrono::duration<double>(now.At(base).epsilon()).count());
  if (now.latest_floor > now.bounds.upper.Above(base, now.drift)) {
    world_->experiments().Probe("truetime.held_latest");
  }
  // Who sleeps until the moment that the old function foretold looks again if the new one may bring
  // it nearer. A microsecond is not worth the call.
  constexpr Duration kWorthWaking(1'000);
  if (now.disrupted != before.disrupted || now.known != before.known ||
      now.At(base).earliest - before.At(base).earliest > kWorthWaking) {
    WakeWaiters();
  }
  ReportState();
}

void TrueTime::WakeWaiters() {
  waiters_[0]->WakeAll();
  for (int i = 1; i < world_->loop_count(); ++i) {
    world_->loop(i).Post([waiters = waiters_[static_cast<size_t>(i)]] { waiters->WakeAll(); });
  }
}

void TrueTime::ReportState() {
  const ClockStateChange& change = clock_.history().back();
  for (const ClockState state : kAllStates) {
    instruments_->states[static_cast<size_t>(state)]->Set(state == change.state ? 1 : 0);
  }
  // Between two publications the state may have changed and come back: every entry is a log line.
  const int64_t entered = clock_.states_entered();
  for (int64_t i = std::min<int64_t>(entered - states_reported_,
                                     static_cast<int64_t>(clock_.history().size()));
       i > 0; --i) {
    const ClockStateChange& entry =
        clock_.history()[clock_.history().size() - static_cast<size_t>(i)];
    world_->log().Write(
        truetime::TimeSafe(entry.state) ? runtime::Severity::kInfo : runtime::Severity::kWarning,
        "truetime.state",
        {{"state", ClockStateName(entry.state)},
         {"why", entry.why},
         {"since_ns", entry.since.nanoseconds()},
         {"source", source_->name()}});
  }
  if (entered != states_reported_) state_changed_.Set();
  states_reported_ = entered;
}

void TrueTime::Count(const IntervalClockCounters& before) {
  const IntervalClockCounters& now = clock_.counters();
  runtime::Experiments& experiments = world_->experiments();
  if (now.disjoint_readings != before.disjoint_readings) {
    instruments_->disjoint.Add();
    experiments.Probe("truetime.disjoint");
  }
  if (now.realtime_steps != before.realtime_steps || now.suspensions != before.suspensions) {
    instruments_->steps.Add();
    experiments.Probe("truetime.step");
  }
  if (now.recoveries != before.recoveries) experiments.Probe("truetime.recovered");
}

}  // namespace truetime
