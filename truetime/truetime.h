// TrueTime: what time it is, as an interval that holds true time (TT-CONTAINS).
//
//   const Interval now = truetime.Now();
//   Timestamp commit = now.latest;
//   CO_RETURN_IF_ERROR(co_await truetime.WaitUntilAfter(commit));   // commit wait
//
// Place:       one per World, made, started and closed on loop 0, where its poll loop lives. The
//              kernel (kernel/interval_clock.h) decides; this class asks the source, publishes what
//              the kernel decides to all threads, and tells people.
// Guarantees:  TT-CONTAINS while the bounds of source and oscillator are true; TT-MONOTONE always,
//              across threads: if one call of Now() has returned before another one begins, neither
//              end of the second is below the first's. It holds from the first reading on; before
//              that (state `waiting`) the interval is all of time.
//              Now() costs little more than reading the clock, and never waits for other readers.
// Peers:       as the network's ClockStamper it stamps what this node sends and judges what others
//              sent (TT-CONTRADICTION). Its owner installs it (Network::SetClockStamper) and takes
//              it out again before it ends.
// States:      see clock_state.h. A bad state is never an error of Now(): the interval is as wide
//              as it must be. Who is about to promise something asks CheckSafe().
// Suspension:  a machine that was suspended has lost true time, and Now() does not know it before
//              the next poll. CheckSafe() does: so take the timestamp first and ask it after that
//              (PX-STALL).
// Concurrency: as stated at each method.
// Paper:       Corbett et al. 2012, section 3. Differences: time comes from chronyd instead of time
//              masters, and 200 ppm is a setting.
#ifndef TRUETIME_TRUETIME_H_
#define TRUETIME_TRUETIME_H_

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/cancel_scope.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/world.h"
#include "truetime/clock_state.h"
#include "truetime/interval.h"
#include "truetime/kernel/clock_function.h"
#include "truetime/kernel/interval_clock.h"
#include "truetime/peer_clocks.h"
#include "truetime/seqlock.h"
#include "truetime/source.h"

namespace truetime {

struct TrueTimeOptions {
  IntervalClockOptions clock;
  // From the end of one reading to the beginning of the next.
  Duration poll_period = Duration(1'000'000'000);
  // A reading that takes longer counts as none.
  Duration read_timeout = Duration(500'000'000);
  PeerClocksOptions peers;
};

class TrueTime final : public runtime::ClockStamper {
 public:
  // `world` outlives this.
  TrueTime(runtime::World* world, std::unique_ptr<TimeSource> source, TrueTimeOptions options);
  // On loop 0. Nobody waits any more, and Close() has ended if Start() was called; or the node has
  // crashed.
  ~TrueTime() override;
  TrueTime(const TrueTime&) = delete;
  TrueTime& operator=(const TrueTime&) = delete;

  // Begins to poll, at once. Loop 0. A source that does not answer leaves the state `waiting`.
  void Start();
  // Ends the polling. Loop 0. The interval goes on growing.
  runtime::Task<void> Close();

  // --- Any thread ---

  Interval Now() const;
  // True time is certainly past `time`; certainly not yet at it.
  bool After(Timestamp time) const { return time < Now().earliest; }
  bool Before(Timestamp time) const { return time > Now().latest; }

  ClockState state() const { return state_.load(std::memory_order_relaxed); }
  // Whether timestamps and leases may be given now, and one that was taken just before is good.
  // Right also when the poll loop has stalled or the machine was suspended.
  bool TimeSafe() const;
  // OK, or UNAVAILABLE with a sentence.
  absl::Status CheckSafe() const;

  // TT-CONTRADICTION: the interval as it is, and a look at another node's.
  runtime::ClockStamp Stamp() override;
  void Observe(runtime::NodeId peer, runtime::ClockStamp stamp,
               std::optional<Duration> age_max) override;
  // A commit got this timestamp: if this clock turns out to have lied, it is listed as tainted.
  void Stamped(Timestamp commit) { peers_.taints().Stamped(commit); }

  // --- Any loop of the world ---

  // Waits until After(time) and returns OK. It sleeps until the moment that the present interval
  // foretells and then looks again, as often as it takes; while the clock is disrupted it waits on.
  // Otherwise it ends with the reason why it was cancelled.
  runtime::Task<absl::Status> WaitUntilAfter(Timestamp time);

  // --- Loop 0 ---

  // Waits until the state is time-safe (a start waits for synchronisation).
  runtime::Task<absl::Status> WaitUntilSafe();

  // The last changes of state, oldest first; the back is the present one.
  const std::deque<ClockStateChange>& history() const { return clock_.history(); }
  // The last good reading, and why the last attempt gave none (OK if it did).
  const std::optional<Reading>& last_reading() const { return last_reading_; }
  const absl::Status& last_failure() const { return last_failure_; }
  TimeSource& source() { return *source_; }
  const TrueTimeOptions& options() const { return options_; }

  // TT-INJECT: replaces what was injected before. It holds at once.
  void Inject(Injection injection);
  const Injection& injection() const { return injection_; }

  // How many nodes the cluster has, this one included: what a majority is counted of. Until it is
  // told, those that were heard from.
  void SetClusterNodes(size_t nodes) { peers_.SetClusterNodes(nodes); }

  // Contradictions with other nodes, who lies, and which commits are tainted.
  const PeerClocks& peers() const { return peers_; }

  // Takes the next reading now.
  void PollSoon() { poll_now_.Set(); }

 private:
  struct Instruments;
  // Those who wait on one loop; touched only there.
  struct LoopWaiters;

  bool SuspendedSincePoll() const;
  ClockMoment ReadClocks() const;
  BaseTime ReadBaseClock() const;
  runtime::Task<void> PollLoop();
  runtime::Task<void> PollOnce();
  // Makes the kernel's present decision visible to all.
  void Publish();
  void WakeWaiters();
  void Compare(runtime::NodeId peer, Interval claim, MonotonicTime at, Interval own);
  void ApplyVerdict(const ContradictionDetector::Verdict& verdict);
  void ReportState();
  // Counts what happened in the kernel since `before`.
  void Count(const IntervalClockCounters& before);

  runtime::World* const world_;
  const std::unique_ptr<TimeSource> source_;
  const TrueTimeOptions options_;
  const BaseClock base_;
  const std::unique_ptr<Instruments> instruments_;

  // Written on loop 0, read everywhere.
  Seqlock<ClockFunction> function_;
  std::atomic<ClockState> state_{ClockState::kWaiting};
  std::atomic<int64_t> unsafe_after_;  // MonotonicTime of the raw clock.
  std::atomic<int64_t> suspended_at_most_;
  // The highest realtime used as a base, since that clock can be set back. Unused for kRaw.
  mutable std::atomic<int64_t> realtime_high_;

  PeerClocks peers_;

  // Loop 0 only.
  IntervalClock clock_;
  Injection injection_;
  std::optional<Reading> last_reading_;
  absl::Status last_failure_;
  int64_t states_reported_ = 0;
  bool outside_ = false;  // The last verdict of peers_.
  runtime::Event poll_now_;
  runtime::Event state_changed_;
  std::vector<std::shared_ptr<LoopWaiters>> waiters_;  // By loop.
  std::optional<runtime::TaskScope> scope_;
  // This, until it is destroyed; for what was posted to loop 0.
  const std::shared_ptr<TrueTime*> self_ = std::make_shared<TrueTime*>(this);
};

}  // namespace truetime

#endif  // TRUETIME_TRUETIME_H_
