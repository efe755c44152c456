// ContradictionDetector: compares this node's interval with those that other nodes sent
// (TT-CONTRADICTION).
//
// Place:       a kernel on loop 0; TrueTime feeds it and acts on its verdict.
// Claims:      a stamp read at an unknown moment before now says that true time is past its
//              `earliest`, and nothing more. If it is known to be young (a reply), also that true
//              time is at most its `latest` plus its age. The last claim of each kind is kept per
//              node and carried on by this node's raw oscillator with its worst drift, so claims of
//              different moments can be compared.
// Decides:     (1) a contradiction: two claims, this node's and a peer's, have no common point, so
//              at least one clock lies. (2) Liars: where a strict majority of the cluster, this
//              node included, makes claims that are bounded on both sides and have common points,
//              whoever touches none of those is certainly wrong, as long as a majority is right.
//              Without a majority nobody is named. (3) A proof: this node's interval touches the
//              points of the majority. What it stamped until then was not a lie, or the majority
//              lies.
// Bounds:      at most peers_max peers; beyond that further ones are not judged. A peer that has
//              been silent for forget_after is no longer a known node.
#ifndef TRUETIME_KERNEL_CONTRADICTION_DETECTOR_H_
#define TRUETIME_KERNEL_CONTRADICTION_DETECTOR_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "runtime/network.h"
#include "runtime/strong_id.h"
#include "truetime/interval.h"
#include "truetime/kernel/clock_function.h"

namespace truetime {

struct ContradictionDetectorOptions {
  double drift_ppm = 200;
  size_t peers_max = 1024;
  Duration forget_after = Duration(30'000'000'000);
  // This node must have touched the majority for so long before it trusts its clock again.
  Duration inside_for = Duration(2'000'000'000);
};

// What a stamp claims about true time at the moment it arrives.
Interval ClaimOf(runtime::ClockStamp stamp, std::optional<Duration> age_max, Drift drift);

// A claim that cannot be true if this node's interval is.
struct Contradiction {
  runtime::NodeId peer;
  Interval claim;    // The peer's, at `at`.
  Interval own;      // This node's, at `at`.
  MonotonicTime at;  // By this node's raw oscillator.
};

class ContradictionDetector {
 public:
  explicit ContradictionDetector(ContradictionDetectorOptions options);

  // What is to be said about the clocks after a message or a turn of time.
  struct Verdict {
    // This node is outside the majority, or was until inside_for ago.
    bool outside = false;
    // This node is inside the majority now, and both-sided claims show it.
    bool proven = false;
    // The set of liars is another one than before.
    bool liars_changed = false;
  };

  // How many nodes the cluster has, this one included. A majority is one of at least so many: of a
  // few that were heard from first, most may lie.
  void SetClusterNodes(size_t nodes) { cluster_nodes_ = nodes; }

  // `peer` claims `claim` at the moment `now`, when this node's interval is `own`.
  Verdict Observe(runtime::NodeId peer, Interval claim, MonotonicTime now, Interval own);
  // Time has passed.
  Verdict Judge(MonotonicTime now, Interval own);

  // Who touches no majority; this node is not in it but in the verdict.
  const std::set<runtime::NodeId>& liars() const { return liars_; }
  size_t known_nodes() const { return peers_.size() + 1; }
  // The last ones, oldest first, at most kContradictionsMax.
  const std::deque<Contradiction>& contradictions() const { return contradictions_; }

  static constexpr size_t kContradictionsMax = 64;

 private:
  struct Peer {
    Bound lower;
    std::optional<Bound> upper;
    MonotonicTime heard;
  };

  Interval ClaimAt(const Peer& peer, BaseTime base) const;

  const ContradictionDetectorOptions options_;
  const Drift drift_;
  size_t cluster_nodes_ = 1;
  std::map<runtime::NodeId, Peer> peers_;
  std::set<runtime::NodeId> liars_;
  std::deque<Contradiction> contradictions_;
  // Set while this node is taken to be outside: since when it has been inside, if it has.
  bool outside_ = false;
  std::optional<MonotonicTime> inside_since_;
};

}  // namespace truetime

#endif  // TRUETIME_KERNEL_CONTRADICTION_DETECTOR_H_
