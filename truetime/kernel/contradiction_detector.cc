#include "truetime/kernel/contradiction_detector.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "truetime/kernel/marzullo.h"

namespace truetime {

namespace {

// Peers' claims are carried on by the raw oscillator.
BaseTime OnRaw(MonotonicTime raw) { return BaseTime(raw.nanoseconds()); }

bool Touches(Interval interval, const std::vector<Interval>& stretches) {
  return std::any_of(stretches.begin(), stretches.end(), [&](const Interval& stretch) {
    return Intersect(interval, stretch).has_value();
  });
}

// The points that a strict majority of `nodes` nodes has in common; empty if it has none.
std::vector<Interval> MajorityPoints(const std::vector<Interval>& claims, size_t nodes) {
  return PointsInAtLeast(claims, nodes / 2 + 1);
}

}  // namespace

Interval ClaimOf(runtime::ClockStamp stamp, std::optional<Duration> age_max, Drift drift) {
  // Time has only gone on since the stamp was read: its lower end holds as it is.
  if (!age_max.has_value()) return {stamp.earliest, Timestamp::Max()};
  return {stamp.earliest, stamp.latest + *age_max + drift.Over(*age_max)};
}

ContradictionDetector::ContradictionDetector(ContradictionDetectorOptions options)
    : options_(options),
      drift_(options.drift_ppm > 0 ? Drift::FromPpm(options.drift_ppm) : Drift::None()) {}

Interval ContradictionDetector::ClaimAt(const Peer& peer, BaseTime base) const {
  return {peer.lower.Below(base, drift_),
          peer.upper.has_value() ? peer.upper->Above(base, drift_) : Timestamp::Max()};
}

ContradictionDetector::Verdict ContradictionDetector::Observe(runtime::NodeId peer, Interval claim,
                                                              MonotonicTime now, Interval own) {
  if (!claim.valid())
    claim.latest = claim.earliest;  // Nonsense from outside: the lower end counts.
  if (!Intersect(claim, own).has_value()) {
    contradictions_.push_back({peer, claim, own, now});
    if (contradictions_.size() > kContradictionsMax) contradictions_.pop_front();
  }
  auto known = peers_.find(peer);
  if (known == peers_.end() && peers_.size() < options_.peers_max) {
    known = peers_.emplace(peer, Peer()).first;
  }
  if (known == peers_.end()) return Judge(now, own);
  Peer& record = known->second;
  const BaseTime base = OnRaw(now);
  record.heard = now;
  record.lower = {base, claim.earliest};
  if (claim.latest != Timestamp::Max()) {
    record.upper = Bound{base, claim.latest};
  } else if (record.upper.has_value() && record.upper->Above(base, drift_) < claim.earliest) {
    // The peer has taken back what it said before.
    record.upper.reset();
  }
  return Judge(now, own);
}

ContradictionDetector::Verdict ContradictionDetector::Judge(MonotonicTime now, Interval own) {
  std::erase_if(
      peers_, [&](const auto& entry) { return now - entry.second.heard > options_.forget_after; });
  const BaseTime base = OnRaw(now);
  // Before the first reading this node has no clock that could be judged.
  const bool judged = own != Interval();
  // Only claims that are bounded on both sides make a majority: what is open above has a common
  // point with every clock that is fast, however wrong that is.
  std::vector<Interval> bounded;
  if (judged) bounded.push_back(own);
  for (const auto& [id, peer] : peers_) {
    if (peer.upper.has_value()) bounded.push_back(ClaimAt(peer, base));
  }
  const size_t nodes = std::max(peers_.size() + (judged ? 1 : 0), cluster_nodes_);
  const std::vector<Interval> majority = MajorityPoints(bounded, nodes);

  std::set<runtime::NodeId> liars;
  if (!majority.empty()) {
    for (const auto& [id, peer] : peers_) {
      if (!Touches(ClaimAt(peer, base), majority)) liars.insert(id);
    }
  }
  const bool heard_majority = judged && !majority.empty();
  if (heard_majority && !Touches(own, majority)) {
    outside_ = true;
    inside_since_.reset();
  } else if (outside_ && heard_majority) {
    if (!inside_since_.has_value()) inside_since_ = now;
    if (now - *inside_since_ >= options_.inside_for) outside_ = false;
  } else {
    // To be trusted again takes a majority that agrees, not one that is not heard.
    inside_since_.reset();
  }

  Verdict verdict;
  verdict.outside = outside_;
  verdict.proven = heard_majority && nodes > 1 && Touches(own, majority);
  verdict.liars_changed = liars != liars_;
  liars_ = std::move(liars);
  return verdict;
}

}  // namespace truetime
