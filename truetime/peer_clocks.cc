#include "truetime/peer_clocks.h"

#include <limits>
#include <string>

#include "absl/strings/str_join.h"
#include "runtime/experiments.h"
#include "runtime/log.h"

namespace truetime {

PeerClocks::PeerClocks(runtime::World* world, PeerClocksOptions options, double drift_ppm)
    : world_(world),
      options_(options),
      comparing_(!world->experiments().Without("TT-CONTRADICTION")),
      drift_(drift_ppm > 0 ? Drift::FromPpm(drift_ppm) : Drift::None()),
      contradictions_metric_(world->metrics().GetCounter(
          "isochron_truetime_contradictions_total",
          "Messages whose clock interval cannot be true if this node's is", {})),
      liars_metric_(world->metrics().GetGauge(
          "isochron_truetime_liars", "Peers whose clock is outside what a majority agrees on", {})),
      tainted_metric_(world->metrics().GetGauge(
          "isochron_truetime_tainted_commits",
          "Commits stamped between the last proof of the clock and a lie of it", {})),
      taints_(options.taints_max),
      detector_({.drift_ppm = drift_ppm,
                 .peers_max = options.peers_max,
                 .forget_after = options.forget_after,
                 .inside_for = options.inside_for}) {
  for (std::atomic<int64_t>& slot : last_compared_) {
    slot.store(std::numeric_limits<int64_t>::min(), std::memory_order_relaxed);
  }
}

std::optional<Interval> PeerClocks::NotableClaim(runtime::NodeId peer, runtime::ClockStamp stamp,
                                                 std::optional<Duration> age_max, MonotonicTime at,
                                                 Interval own) {
  // Who does not know the time claims nothing, and clients (node 0) have no say.
  const bool claims = stamp.earliest != Timestamp::Min() || stamp.latest != Timestamp::Max();
  if (!comparing_ || !claims || peer == runtime::NodeId()) return std::nullopt;
  const Interval claim = ClaimOf(stamp, age_max, drift_);
  const bool contradicts = !Intersect(claim, own).has_value();
  if (contradicts) {
    contradictions_.fetch_add(1, std::memory_order_relaxed);
    contradictions_metric_.Add();
  }
  const Duration period = age_max ? options_.compare_period : options_.compare_one_sided_period;
  std::atomic<int64_t>& slot = last_compared_[peer.value() % last_compared_.size()];
  int64_t last = slot.load(std::memory_order_relaxed);
  const int64_t next = at.nanoseconds() * 2 + (contradicts ? 1 : 0);
  while (true) {
    const bool news = contradicts && last % 2 == 0;
    const bool due = at.nanoseconds() >= last / 2 + period.count();
    if (!news && !due) return std::nullopt;
    if (slot.compare_exchange_weak(last, next, std::memory_order_relaxed)) return claim;
  }
}

ContradictionDetector::Verdict PeerClocks::Compare(runtime::NodeId peer, Interval claim,
                                                   MonotonicTime at, Interval own) {
  const uint64_t mark = taints_.Mark();
  return Act(detector_.Observe(peer, claim, at, own), mark);
}

ContradictionDetector::Verdict PeerClocks::Judge(MonotonicTime now, Interval own) {
  const uint64_t mark = taints_.Mark();
  return Act(detector_.Judge(now, own), mark);
}

ContradictionDetector::Verdict PeerClocks::Act(ContradictionDetector::Verdict verdict,
                                               uint64_t mark) {
  // What was stamped before `mark` came from an interval at or before the one that was proven, and
  // intervals only move forward; but a proof by a clock that is not yet trusted again is none.
  if (verdict.proven && !verdict.outside) taints_.Proven(mark);
  if (verdict.outside && !outside_) {
    taints_.Taint();
    world_->experiments().Probe("truetime.outside_majority");
  }
  outside_ = verdict.outside;
  tainted_metric_.Set(static_cast<double>(taints_.tainted().size() + taints_.dropped()));
  if (verdict.liars_changed) LogLiars();
  return verdict;
}

void PeerClocks::LogLiars() {
  const std::set<runtime::NodeId>& liars = detector_.liars();
  liars_metric_.Set(static_cast<double>(liars.size()));
  world_->experiments().Probe("truetime.liar_named");
  const std::string names = absl::StrJoin(liars, ",", [](std::string* out, runtime::NodeId node) {
    out->append(std::to_string(node.value()));
  });
  world_->log().Write(liars.empty() ? runtime::Severity::kInfo : runtime::Severity::kWarning,
                      "truetime.liars",
                      {{"nodes", names}, {"known_nodes", detector_.known_nodes()}});
}

}  // namespace truetime
