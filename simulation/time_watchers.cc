#include "simulation/time_watchers.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace simulation {
namespace {

using truetime::Interval;

// An interval widens by at most one part in so many on each side: a little more than 200 ppm.
constexpr int64_t kDriftPart = 4'990;
constexpr runtime::Duration kRounding{8};

std::string Show(Interval interval, runtime::Timestamp truth) {
  return absl::StrCat("[", (interval.earliest - truth).count(), ", ",
                      (interval.latest - truth).count(), "] ns around the true time");
}

}  // namespace

TimeWatchers::TimeWatchers(simulated::Universe* universe, Find find)
    : universe_(*universe), find_(std::move(find)) {
  universe_.AddWatcher([this] { Watch(); });
}

void TimeWatchers::CommitStamped(runtime::NodeId node, runtime::Timestamp commit) {
  const runtime::Timestamp truth = universe_.true_time();
  if (commit >= truth || seen_[node].excused) return;
  universe_.Fail(absl::StrCat("TX-COMMIT-TS: node ", node.value(), " stamps a commit ",
                              (truth - commit).count(), " ns in the past"));
}

void TimeWatchers::CommitWaitEnded(runtime::NodeId node, runtime::Timestamp commit) {
  const runtime::Timestamp truth = universe_.true_time();
  if (truth > commit || seen_[node].excused) return;
  universe_.Fail(absl::StrCat("TX-COMMIT-WAIT: node ", node.value(), " believes that a moment ",
                              (commit - truth).count(), " ns ahead has passed"));
}

void TimeWatchers::Watch() {
  for (const auto& [id, node] : universe_.nodes()) WatchNode(*node);
}

void TimeWatchers::WatchNode(simulated::NodeWorld& node) {
  truetime::TrueTime* const truetime = find_(node);
  // A machine that is suspended reads no clock, and until its first reading afterwards its
  // oscillator is behind (see the limits in truetime.h): what it believes in between it notices
  // itself, and is not asked for here.
  if (truetime == nullptr || node.clock().suspended()) return;
  Seen& seen = seen_[node.node()];
  const Interval now = truetime->Now();
  const runtime::Timestamp truth = universe_.true_time();
  if (seen.incarnation == node.incarnation() &&
      (now.earliest < seen.last.earliest || now.latest < seen.last.latest) &&
      truetime->state() != truetime::ClockState::kWaiting) {
    universe_.Fail(absl::StrCat("TT-MONOTONE: node ", node.node().value(), " was at ",
                                Show(seen.last, truth), " and is at ", Show(now, truth)));
  }
  if (seen.incarnation != node.incarnation()) seen.trusted_width.reset();
  seen.incarnation = node.incarnation();
  WatchWidth(node, *truetime, &seen);
  // Before the first reading the interval is all of time, which is right and promises nothing.
  seen.last = truetime->state() == truetime::ClockState::kWaiting
                  ? Interval{runtime::Timestamp::Min(), runtime::Timestamp::Min()}
                  : now;
  if (seen.suspended_for != node.clock().suspended_for()) {
    seen.suspended_for = node.clock().suspended_for();
    seen.raw_at_wake = node.clock().Raw();
  }
  const auto& reading = truetime->last_reading();
  const bool behind_since_wake =
      seen.raw_at_wake != runtime::MonotonicTime::Min() &&
      (!reading.has_value() || reading->before.nanoseconds() < seen.raw_at_wake.nanoseconds());
  if (!now.Contains(truth) && !seen.excused && !behind_since_wake) {
    universe_.Fail(absl::StrCat("TT-CONTAINS: node ", node.node().value(), " is at ",
                                Show(now, truth), ", state ",
                                truetime::ClockStateName(truetime->state())));
  }
}

void TimeWatchers::WatchWidth(const simulated::NodeWorld& node, const truetime::TrueTime& truetime,
                              Seen* seen) {
  if (!truetime.TimeSafe() || seen->excused) {
    seen->trusted_width.reset();
    return;
  }
  const runtime::Duration width = truetime.Now().width();
  const runtime::Duration passed = universe_.now() - seen->trusted_at;
  // Both ends drift, and an oscillator may count a little more than has passed.
  const runtime::Duration growth = 2 * passed / kDriftPart + kRounding;
  if (seen->trusted_width.has_value() && width > *seen->trusted_width + growth) {
    universe_.Fail(absl::StrCat("TT-INTERSECT: the interval of node ", node.node().value(),
                                " widened by ", (width - *seen->trusted_width).count(), " ns in ",
                                passed.count(), " ns"));
  }
  seen->trusted_width = width;
  seen->trusted_at = universe_.now();
}

}  // namespace simulation
