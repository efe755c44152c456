#include "runtime/simulated/wire.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/simulated/simulated_network.h"

namespace simulated {

Wire::Wire(Scheduler* scheduler, LinkFaults standard, uint64_t seed,
           std::function<bool(NodeId)> known)
    : scheduler_(*scheduler), links_(standard, seed), known_(std::move(known)) {}

void Wire::Partition(const std::vector<std::vector<NodeId>>& groups) {
  links_.Partition(groups);
  std::string line = "partition";
  uint64_t content = groups.size();
  for (const auto& group : groups) {
    absl::StrAppend(&line, " {");
    for (NodeId node : group) absl::StrAppend(&line, " n", node.value());
    absl::StrAppend(&line, " }");
  }
  content = HashBytes(line);
  recorder().Fold(Happened::kNoted, 0, content);
  recorder().Trace(NodeId(), line);
}

void Wire::Clog(NodeId from, NodeId to, Duration length) {
  links_.Clog(from, to, scheduler_.now() + length);
  if (!recorder().tracing()) return;
  recorder().Trace(NodeId(), absl::StrCat("clog n", from.value(), " to n", to.value(), " for ",
                                          length.count() / 1000, "us"));
}

void Wire::Heal() {
  links_.Heal();
  recorder().Trace(NodeId(), "heal the network");
}

void Wire::BreakConnection(NodeId a, NodeId b) {
  links_.BreakConnection(a, b);
  recorder().Fold(Happened::kNoted, a.value(), b.value());
  if (recorder().tracing()) {
    recorder().Trace(a, absl::StrCat("connection to n", b.value(), " breaks"));
  }
  TellBroken(a, b);
  TellBroken(b, a);
}

void Wire::Attach(NodeId node, SimulatedNetwork* endpoint) {
  CHECK(endpoints_.emplace(node, endpoint).second) << "node " << node << " is attached twice";
}

void Wire::Detach(NodeId node) {
  CHECK_EQ(endpoints_.erase(node), 1u);
  // A process that dies leaves a kernel that resets its connections; a machine that loses power
  // leaves silence.
  if (links_.random().Chance(0.3)) return;
  for (const auto& [peer, endpoint] : endpoints_) {
    if (links_.Reaches(node, peer)) TellBroken(peer, node);
  }
}

SimulatedNetwork* Wire::Endpoint(NodeId node, uint64_t incarnation) const {
  const auto found = endpoints_.find(node);
  if (found == endpoints_.end() || found->second->incarnation() != incarnation) return nullptr;
  return found->second;
}

MonotonicTime Wire::Transmit(Transmission what, Deliver deliver, Failed failed) {
  const auto [from, to, extra_delay, not_before, draw_loss] = what;
  const uint64_t incarnation = IncarnationOf(to);
  if (from == to) {
    scheduler_.After(0ns, [this, what, incarnation, deliver = std::move(deliver)]() mutable {
      if (SimulatedNetwork* receiver = Endpoint(what.to, incarnation)) deliver(*receiver);
    });
    return scheduler_.now();
  }
  const bool lost = !links_.Reaches(from, to) || (draw_loss && links_.DrawLoss(from, to));
  const uint64_t connection = links_.connection(from, to);
  const Duration drawn = extra_delay + links_.DrawDelay(from, to, scheduler_.now());
  const Duration delay = std::max(drawn, not_before - scheduler_.now());
  scheduler_.After(delay, [this, what, incarnation, lost, connection, deliver = std::move(deliver),
                           failed = std::move(failed)]() mutable {
    // A partition that began meanwhile swallows what is on its way.
    if (lost || !links_.Reaches(what.from, what.to) ||
        links_.connection(what.from, what.to) != connection) {
      return failed(Fate::kLost);
    }
    SimulatedNetwork* const receiver = incarnation == 0 ? nullptr : Endpoint(what.to, incarnation);
    if (receiver == nullptr) return failed(Fate::kRefused);
    deliver(*receiver);
  });
  return scheduler_.now() + delay;
}

uint64_t Wire::IncarnationOf(NodeId node) const {
  const auto found = endpoints_.find(node);
  return found == endpoints_.end() ? 0 : found->second->incarnation();
}

void Wire::TellBroken(NodeId node, NodeId peer) {
  const uint64_t incarnation = IncarnationOf(node);
  const MonotonicTime broken_at = scheduler_.now();
  const Duration delay = links_.DrawDelay(peer, node, scheduler_.now());
  scheduler_.After(delay, [this, node, incarnation, peer, broken_at] {
    if (SimulatedNetwork* endpoint = Endpoint(node, incarnation)) {
      endpoint->ConnectionBroke(peer, broken_at);
    }
  });
}

}  // namespace simulated
