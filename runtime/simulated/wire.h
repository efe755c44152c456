// Wire: carries what the nodes' network endpoints send each other, as Links says.
//
// Place:       one per universe. An endpoint (SimulatedNetwork) is one incarnation's; the wire
//              finds it by node when something arrives.
// Fates:       what is sent is delivered, or lost (by chance, a partition, a broken connection),
//              or refused (nobody listens there: the node is down, or has restarted since).
#ifndef RUNTIME_SIMULATED_WIRE_H_
#define RUNTIME_SIMULATED_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "runtime/simulated/links.h"
#include "runtime/simulated/recorder.h"
#include "runtime/simulated/scheduler.h"

namespace simulated {

class SimulatedNetwork;

class Wire {
 public:
  enum class Fate { kLost, kRefused };
  using Deliver = absl::AnyInvocable<void(SimulatedNetwork& receiver)>;
  using Failed = absl::AnyInvocable<void(Fate fate)>;

  // `known` says whether a node exists, up or down.
  Wire(Scheduler* scheduler, LinkFaults standard, uint64_t seed, std::function<bool(NodeId)> known);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // For the nemesis.
  LinkFaults& link(NodeId from, NodeId to) { return links_.link(from, to); }
  void Partition(const std::vector<std::vector<NodeId>>& groups);
  void Clog(NodeId from, NodeId to, Duration length);
  void Heal();
  // The connections between the two break: what is on its way is lost, calls under way end with
  // UNAVAILABLE, their handlers are cancelled.
  void BreakConnection(NodeId a, NodeId b);

  // For the endpoints.
  bool Knows(NodeId node) const { return known_(node); }
  void Attach(NodeId node, SimulatedNetwork* endpoint);
  // The incarnation has crashed; its peers may hear of it.
  void Detach(NodeId node);
  // The endpoint of that incarnation; null if it is gone.
  SimulatedNetwork* Endpoint(NodeId node, uint64_t incarnation) const;

  // Sends once: after the link's delay and `extra_delay`, and not before `not_before`, exactly one
  // of the two is called. To the own node: at once, and never lost. Returns when it arrives.
  struct Transmission {
    NodeId from;
    NodeId to;
    Duration extra_delay{};
    MonotonicTime not_before = MonotonicTime::Min();
    // False if the sender has drawn that already.
    bool draw_loss = true;
  };
  MonotonicTime Transmit(Transmission what, Deliver deliver, Failed failed);

  Links& links() { return links_; }
  Scheduler& scheduler() { return scheduler_; }
  Recorder& recorder() { return scheduler_.recorder(); }

 private:
  uint64_t IncarnationOf(NodeId node) const;
  // Tells `node` that what was under way between it and `peer` is over.
  void TellBroken(NodeId node, NodeId peer);

  Scheduler& scheduler_;
  Links links_;
  const std::function<bool(NodeId)> known_;
  std::map<NodeId, SimulatedNetwork*> endpoints_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_WIRE_H_
