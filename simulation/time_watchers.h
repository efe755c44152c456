// TimeWatchers: the invariants of protocol.md section 1, asked after every event by one who knows
// the true time.
#ifndef SIMULATION_TIME_WATCHERS_H_
#define SIMULATION_TIME_WATCHERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "runtime/simulated/universe.h"
#include "truetime/truetime.h"

namespace simulation {

class TimeWatchers {
 public:
  // Where a node's TrueTime is found; null while it has none.
  using Find = std::function<truetime::TrueTime*(const simulated::NodeWorld&)>;

  // Adds itself to the watchers of `universe`, which it outlives.
  TimeWatchers(simulated::Universe* universe, Find find);
  TimeWatchers(const TimeWatchers&) = delete;
  TimeWatchers& operator=(const TimeWatchers&) = delete;

  // `node` gives a commit this timestamp, now. Fails TX-COMMIT-TS if that moment has passed
  // already.
  void CommitStamped(runtime::NodeId node, runtime::Timestamp commit);

  // `node` believes that `commit` has passed. Fails TX-COMMIT-WAIT if it has not.
  void CommitWaitEnded(runtime::NodeId node, runtime::Timestamp commit);

  // From now on `node` is excused from TT-CONTAINS, TT-INTERSECT, TX-COMMIT-TS and TX-COMMIT-WAIT:
  // its source lies beyond its bound, or its oscillator runs beyond the drift. Nobody is excused
  // from TT-MONOTONE.
  void Excuse(runtime::NodeId node) { seen_[node].excused = true; }
  void HoldAgain(runtime::NodeId node) { seen_[node].excused = false; }

 private:
  struct Seen {
    uint64_t incarnation = 0;
    truetime::Interval last;
    // The width of the interval when it was last seen to be trusted, and when that was.
    std::optional<runtime::Duration> trusted_width;
    runtime::MonotonicTime trusted_at;
    bool excused = false;
    // The length of all suspensions so far, and the raw clock when the last one was seen to be
    // over.
    runtime::Duration suspended_for{};
    runtime::MonotonicTime raw_at_wake = runtime::MonotonicTime::Min();
  };

  void Watch();
  void WatchNode(simulated::NodeWorld& node);
  // TT-INTERSECT: while the clock is trusted, its interval widens by the drift and by nothing else.
  void WatchWidth(const simulated::NodeWorld& node, const truetime::TrueTime& truetime, Seen* seen);

  simulated::Universe& universe_;
  const Find find_;
  std::map<runtime::NodeId, Seen> seen_;
};

}  // namespace simulation

#endif  // SIMULATION_TIME_WATCHERS_H_
