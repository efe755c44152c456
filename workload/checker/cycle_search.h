// CycleSearch: the shortest cycle of a kind within one strongly connected component.
//
// A kind of cycle is a small automaton over the edges (CycleAutomaton), and the search goes
// breadth-first over pairs of a node and a state, from each transaction in turn, with a growing
// bound on the length: short cycles, which nearly all are, cost little in large components too.
//
// A cycle can be begun at any of its edges, so the search begins at one that the cycle must have:
// an rw edge for G-single, and so on. One that needs real-time order is closed by it: a path is
// sought from a transaction to any other that ended before it began, so that the search need not
// follow real-time edges, which lead nearly everywhere. Two of those cannot be neighbours in a
// shortest cycle; one with two has four edges at least, and only if nothing so short was found are
// paths sought that follow them.
#ifndef WORKLOAD_CHECKER_CYCLE_SEARCH_H_
#define WORKLOAD_CHECKER_CYCLE_SEARCH_H_

#include <optional>
#include <vector>

#include "workload/checker/cycles.h"
#include "workload/checker/graph.h"
#include "workload/checker/history.h"

namespace checker {

// Reads the edges of a path and tells whether they make a cycle of its class.
class CycleAutomaton {
 public:
  using State = uint8_t;
  static constexpr State kDead = 0xFF;

  explicit CycleAutomaton(CycleClass phenomenon) : phenomenon_(phenomenon) {}

  State Start() const { return kStart; }
  State Next(State state, EdgeKind kind) const;
  // Whether a path that came back to where it began is a cycle of the class.
  bool Accepts(State state) const;
  // Whether the cycle can be taken to begin with this edge, if none of order is in it.
  bool CanBegin(EdgeKind kind) const;
  size_t state_count() const;

 private:
  static constexpr State kStart = 0;
  const CycleClass phenomenon_;
};

class CycleSearch {
 public:
  CycleSearch(const History& history, const DependencyGraph& graph);

  // Until the next Enter(), searches go on within this component.
  void Enter(const std::vector<NodeId>* component);
  void Leave();

  struct Result {
    std::optional<std::vector<CycleEdge>> cycle;
    bool exhausted = false;  // Steps ran out: there may be a shorter one, or one at all.
  };
  // The shortest cycle of the class that has an edge of exactly `level` and none above it.
  // `ordered`: transactions that precede each other by the order of `level` do so in the cycle, too.
  Result FindShortest(CycleClass phenomenon, Level level, bool ordered, uint64_t steps_max);
  // Any cycle through the component's first transaction. Every component has one.
  std::vector<CycleEdge> FindAny(EdgeFilter filter);

 private:
  // Where a walk begins, what it follows, and when it is a cycle.
  struct Plan {
    EdgeFilter follow;
    bool follow_order = false;
    // Closed by order of the level: else by an edge back to the beginning.
    bool closed_by_order = false;
    // The first edge must be one of `level` (which is above kPlain), or begin the class.
    bool any_first = false;
    Level level = Level::kPlain;
  };
  struct Arrival {
    uint32_t parent;  // The pair from which it was reached.
    Edge via;         // The edge that says what it means; its `to` is the first node on the way.
  };
  struct Waypoint {
    NodeId node;
    CycleAutomaton::State state;
    Arrival arrival;
  };

  void Search(const Plan& plan);
  // Breadth-first from `start`, at most limit_ edges; lowers limit_ for each cycle it finds.
  void Walk(const Plan& plan, TxnId start);
  void Begin(const Plan& plan, TxnId start);
  void Expand(const Plan& plan, TxnId start, uint32_t pair, size_t length);
  void Visit(const Plan& plan, TxnId start, NodeId to, CycleAutomaton::State state,
             const Arrival& arrival, size_t length);
  void Close(TxnId start, const Arrival& last, std::optional<CycleEdge> closing);
  bool MayBegin(const Plan& plan, const Edge& edge) const;

  uint32_t PairOf(NodeId node, CycleAutomaton::State state) const {
    return static_cast<uint32_t>(local_[node] * states_ + state);
  }
  NodeId NodeOf(uint32_t pair) const { return (*component_)[pair / states_]; }

  const History& history_;
  const DependencyGraph& graph_;
  const std::vector<NodeId>* component_ = nullptr;
  std::vector<uint32_t> local_;  // Of each node its place in the component, or kNoTxn.

  // One search.
  std::optional<CycleAutomaton> automaton_;
  size_t states_ = 1;
  uint64_t steps_left_ = 0;
  size_t limit_ = 0;        // Cycles of more edges are of no interest.
  bool truncated_ = false;  // A walk ended at the limit.
  std::optional<std::vector<CycleEdge>> best_;

  // One walk. A pair was visited by it if its stamp is stamp_.
  uint32_t stamp_ = 0;
  std::vector<uint32_t> stamps_;
  std::vector<Arrival> arrivals_;
  std::vector<uint32_t> layer_;
  std::vector<uint32_t> next_layer_;
  std::vector<Waypoint> waypoints_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_CYCLE_SEARCH_H_
