// PeerClocks: what this node makes of the intervals that other nodes send (TT-CONTRADICTION).
//
// Drives kernel/contradiction_detector.h: a cheap look at every stamp on whatever thread it
// arrives, and of those what is worth it goes to the kernel on loop 0: a contradiction at once,
// everything else from one peer once per compare_period, or more seldom if it bounds its sender's
// clock from one side only. Keeps the taint list, counts and logs.
#ifndef TRUETIME_PEER_CLOCKS_H_
#define TRUETIME_PEER_CLOCKS_H_

#include <array>
#include <atomic>
#include <optional>

#include "runtime/metrics.h"
#include "runtime/network.h"
#include "runtime/world.h"
#include "truetime/kernel/contradiction_detector.h"
#include "truetime/taint_list.h"

namespace truetime {

struct PeerClocksOptions {
  Duration compare_period = Duration(1'000'000);
  // Of claims of one side, which come with every message.
  Duration compare_one_sided_period = Duration(20'000'000);
  size_t peers_max = 1024;
  Duration forget_after = Duration(30'000'000'000);
  Duration inside_for = Duration(2'000'000'000);
  size_t taints_max = 4096;
};

class PeerClocks {
 public:
  // `world` outlives this.
  PeerClocks(runtime::World* world, PeerClocksOptions options, double drift_ppm);

  // Any thread: what the stamp claims at the moment `at`, when this node's interval is `own`, if
  // the kernel should hear of it. Counts contradictions.
  std::optional<Interval> NotableClaim(runtime::NodeId peer, runtime::ClockStamp stamp,
                                       std::optional<Duration> age_max, MonotonicTime at,
                                       Interval own);

  // Loop 0.
  ContradictionDetector::Verdict Compare(runtime::NodeId peer, Interval claim, MonotonicTime at,
                                         Interval own);
  ContradictionDetector::Verdict Judge(MonotonicTime now, Interval own);
  void SetClusterNodes(size_t nodes) { detector_.SetClusterNodes(nodes); }

  const ContradictionDetector& detector() const { return detector_; }
  TaintList& taints() { return taints_; }
  const TaintList& taints() const { return taints_; }
  // How many stamps contradicted this clock. Any thread.
  int64_t contradiction_count() const { return contradictions_.load(std::memory_order_relaxed); }

 private:
  ContradictionDetector::Verdict Act(ContradictionDetector::Verdict verdict, uint64_t mark);
  void LogLiars();

  runtime::World* const world_;
  const PeerClocksOptions options_;
  const bool comparing_;  // TT-CONTRADICTION is not switched off.
  const Drift drift_;
  runtime::Counter& contradictions_metric_;
  runtime::Gauge& liars_metric_;
  runtime::Gauge& tainted_metric_;

  // When a claim last went to the kernel, by peer, twice that, plus one if it was a contradiction.
  // Peers that share a slot are only compared less often.
  std::array<std::atomic<int64_t>, 256> last_compared_;
  std::atomic<int64_t> contradictions_{0};
  TaintList taints_;

  // Loop 0 only.
  ContradictionDetector detector_;
  bool outside_ = false;
};

}  // namespace truetime

#endif  // TRUETIME_PEER_CLOCKS_H_
