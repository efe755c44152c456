#include "workload/checker/cycle_search.h"

#include <algorithm>

#include "runtime/check.h"

namespace checker {
namespace {

constexpr uint32_t kRoot = kNoTxn;  // The parent of what is reached from the beginning.
// States of the automaton of G-nonadjacent: bits, besides the number of rw edges, 0 to 2.
constexpr uint8_t kCountMask = 3;
constexpr uint8_t kLastWasRw = 4;
constexpr uint8_t kFirstWasRw = 8;
constexpr uint8_t kHasBegun = 16;
constexpr size_t kNonadjacentStates = 32;
// With two edges of order that are no neighbours, a cycle has at least so many.
constexpr size_t kEdgesWithTwoOrders = 4;
// More pairs of a node and a state would take more than half a gigabyte.
constexpr size_t kPairsMax = size_t{1} << 25;

}  // namespace

CycleAutomaton::State CycleAutomaton::Next(State state, EdgeKind kind) const {
  const bool rw = kind == EdgeKind::kReadWrite;
  switch (phenomenon_) {
    case CycleClass::kG0:
      return rw || kind == EdgeKind::kWriteRead ? kDead : state;
    case CycleClass::kG1c:
      return rw ? kDead : kind == EdgeKind::kWriteRead ? State{1} : state;
    case CycleClass::kGSingle:
      return !rw ? state : state == 0 ? State{1} : kDead;
    case CycleClass::kG2Item:
      return rw ? std::min<State>(state + 1, 2) : state;
    case CycleClass::kGNonadjacent:
      break;
  }
  if (rw && (state & kLastWasRw) != 0) return kDead;
  State next = state & static_cast<State>(kCountMask | kFirstWasRw);
  if (rw && (state & kCountMask) < 2) ++next;
  if (rw && (state & kHasBegun) == 0) next |= kFirstWasRw;
  return static_cast<State>(next | kHasBegun | (rw ? kLastWasRw : 0));
}

bool CycleAutomaton::Accepts(State state) const {
  switch (phenomenon_) {
    case CycleClass::kG0:
      return true;
    case CycleClass::kG1c:
    case CycleClass::kGSingle:
      return state == 1;
    case CycleClass::kG2Item:
      return state == 2;
    case CycleClass::kGNonadjacent:
      break;
  }
  return (state & kCountMask) == 2 && ((state & kLastWasRw) == 0 || (state & kFirstWasRw) == 0);
}

bool CycleAutomaton::CanBegin(EdgeKind kind) const {
  if (phenomenon_ == CycleClass::kG0) return kind == EdgeKind::kWriteWrite;
  if (phenomenon_ == CycleClass::kG1c) return kind == EdgeKind::kWriteRead;
  return kind == EdgeKind::kReadWrite;
}

size_t CycleAutomaton::state_count() const {
  switch (phenomenon_) {
    case CycleClass::kG0:
      return 1;
    case CycleClass::kG1c:
    case CycleClass::kGSingle:
      return 2;
    case CycleClass::kG2Item:
      return 3;
    case CycleClass::kGNonadjacent:
      break;
  }
  return kNonadjacentStates;
}

CycleSearch::CycleSearch(const History& history, const DependencyGraph& graph)
    : history_(history), graph_(graph), local_(graph.node_count(), kNoTxn) {}

void CycleSearch::Enter(const std::vector<NodeId>* component) {
  component_ = component;
  for (uint32_t i = 0; i < component->size(); ++i) local_[(*component)[i]] = i;
}

void CycleSearch::Leave() {
  for (const NodeId node : *component_) local_[node] = kNoTxn;
  component_ = nullptr;
}

CycleSearch::Result CycleSearch::FindShortest(CycleClass phenomenon, Level level, bool ordered,
                                              uint64_t steps_max) {
  automaton_.emplace(phenomenon);
  states_ = automaton_->state_count();
  steps_left_ = steps_max;
  best_.reset();
  if (component_->size() * states_ > kPairsMax) return {std::nullopt, true};
  Plan plan{.follow = {.level_max = level}, .level = level};
  Search(plan);
  if (level != Level::kPlain && ordered) {
    plan.closed_by_order = true;
    Search(plan);
    if (!best_.has_value() || best_->size() > kEdgesWithTwoOrders) {
      plan.follow_order = true;
      Search(plan);
    }
  }
  return {std::move(best_), steps_left_ == 0};
}

std::vector<CycleEdge> CycleSearch::FindAny(EdgeFilter filter) {
  automaton_.emplace(CycleClass::kG0);  // For its single state; no edge is put to it.
  states_ = 1;
  steps_left_ = std::numeric_limits<uint64_t>::max();
  best_.reset();
  limit_ = component_->size();
  stamps_.assign(component_->size(), 0);
  arrivals_.resize(component_->size());
  stamp_ = 0;
  Walk({.follow = filter, .follow_order = true, .any_first = true}, component_->front());
  CHECK(best_.has_value()) << "no cycle in a component of " << component_->size() << " nodes";
  return *std::move(best_);
}

void CycleSearch::Search(const Plan& plan) {
  const size_t pairs = component_->size() * states_;
  stamps_.assign(pairs, 0);
  arrivals_.resize(pairs);
  stamp_ = 0;
  const size_t longest = best_.has_value() ? best_->size() - 1 : component_->size();
  for (size_t bound = 2; bound <= longest;) {
    const size_t found_before = best_.has_value() ? best_->size() : 0;
    limit_ = bound;
    truncated_ = false;
    for (const NodeId start : *component_) {
      if (!graph_.IsTransaction(start)) break;  // Components are sorted: waypoints come last.
      Walk(plan, start);
      if (steps_left_ == 0 || limit_ < 2) return;
    }
    const bool found = best_.has_value() && best_->size() != found_before;
    if (found || !truncated_ || bound == longest) return;
    bound = std::min(longest, bound + std::max<size_t>(1, bound / 3));
  }
}

void CycleSearch::Walk(const Plan& plan, TxnId start) {
  layer_.clear();
  next_layer_.clear();
  Begin(plan, start);
  for (size_t length = 1; !next_layer_.empty() && steps_left_ > 0; ++length) {
    // Closing it takes another edge.
    if (length >= limit_) {
      truncated_ = true;
      return;
    }
    layer_.swap(next_layer_);
    next_layer_.clear();
    for (const uint32_t pair : layer_) Expand(plan, start, pair, length + 1);
  }
}

bool CycleSearch::MayBegin(const Plan& plan, const Edge& edge) const {
  if (plan.any_first) return true;
  if (plan.closed_by_order) return plan.follow_order || edge.kind != EdgeKind::kOrder;
  if (plan.level != Level::kPlain) {
    return edge.level == plan.level && edge.kind != EdgeKind::kOrder;
  }
  return automaton_->CanBegin(edge.kind);
}

// The waypoints right behind the beginning are visited under a stamp of their own, so that the walk
// may come by them again: from the beginning they lead to it, which is nothing, but from another
// transaction that is the end of a cycle.
void CycleSearch::Begin(const Plan& plan, TxnId start) {
  struct Seed {
    NodeId node;
    CycleAutomaton::State state;
    Arrival arrival;
  };
  std::vector<Seed> seeds;
  ++stamp_;
  for (const Edge& first : graph_.edges(start)) {
    if (!plan.follow.Allows(first) || !MayBegin(plan, first)) continue;
    const CycleAutomaton::State state =
        plan.any_first ? automaton_->Start() : automaton_->Next(automaton_->Start(), first.kind);
    if (state == CycleAutomaton::kDead) continue;
    std::vector<NodeId> reached = {first.to};
    while (!reached.empty()) {
      const NodeId node = reached.back();
      reached.pop_back();
      if (local_[node] == kNoTxn || node == start) continue;
      if (graph_.IsTransaction(node)) {
        seeds.push_back({node, state, {kRoot, first}});
        continue;
      }
      uint32_t& stamp = stamps_[PairOf(node, state)];
      if (stamp == stamp_) continue;
      stamp = stamp_;
      for (const Edge& onward : graph_.edges(node)) reached.push_back(onward.to);
      steps_left_ -= std::min<uint64_t>(steps_left_, graph_.edges(node).size());
    }
  }
  ++stamp_;
  for (const Seed& seed : seeds) Visit(plan, start, seed.node, seed.state, seed.arrival, 1);
}

void CycleSearch::Expand(const Plan& plan, TxnId start, uint32_t pair, size_t length) {
  const NodeId node = NodeOf(pair);
  const CycleAutomaton::State state = static_cast<CycleAutomaton::State>(pair % states_);
  for (const Edge& edge : graph_.edges(node)) {
    if (steps_left_ == 0) return;
    --steps_left_;
    if (!plan.follow.Allows(edge)) continue;
    if (edge.kind == EdgeKind::kOrder && !plan.follow_order) continue;
    const CycleAutomaton::State next = plan.any_first ? state : automaton_->Next(state, edge.kind);
    if (next == CycleAutomaton::kDead) continue;
    Visit(plan, start, edge.to, next, {pair, edge}, length);
    while (!waypoints_.empty()) {
      const Waypoint waypoint = waypoints_.back();
      waypoints_.pop_back();
      for (const Edge& onward : graph_.edges(waypoint.node)) {
        // Back to where the edge came from is no step.
        if (onward.to != node) {
          Visit(plan, start, onward.to, waypoint.state, waypoint.arrival, length);
        }
      }
      steps_left_ -= std::min<uint64_t>(steps_left_, graph_.edges(waypoint.node).size());
    }
  }
}

void CycleSearch::Visit(const Plan& plan, TxnId start, NodeId to, CycleAutomaton::State state,
                        const Arrival& arrival, size_t length) {
  if (local_[to] == kNoTxn) return;
  if (to == start) {
    const bool closed =
        !plan.closed_by_order && length <= limit_ && (plan.any_first || automaton_->Accepts(state));
    if (closed) Close(start, arrival, std::nullopt);
    return;
  }
  const uint32_t pair = PairOf(to, state);
  if (stamps_[pair] == stamp_) return;
  stamps_[pair] = stamp_;
  arrivals_[pair] = arrival;
  if (!graph_.IsTransaction(to)) {
    waypoints_.push_back({to, state, arrival});
    return;
  }
  next_layer_.push_back(pair);
  if (!plan.closed_by_order || length + 1 > limit_) return;
  const CycleAutomaton::State closed = automaton_->Next(state, EdgeKind::kOrder);
  if (closed == CycleAutomaton::kDead || !automaton_->Accepts(closed)) return;
  if (!Precedes(history_.transaction(to), history_.transaction(start), plan.level)) return;
  Close(start, {pair, {}}, CycleEdge{to, start, EdgeKind::kOrder, plan.level, 0});
}

// Keeps the cycle unless it passes a transaction twice: that one is two smaller ones.
void CycleSearch::Close(TxnId start, const Arrival& last, std::optional<CycleEdge> closing) {
  std::vector<CycleEdge> edges;
  if (closing.has_value()) edges.push_back(*closing);
  TxnId to = closing.has_value() ? closing->from : start;
  Arrival arrival = closing.has_value() ? arrivals_[last.parent] : last;
  while (true) {
    const TxnId from = arrival.parent == kRoot ? start : NodeOf(arrival.parent);
    edges.push_back({from, to, arrival.via.kind, arrival.via.level, arrival.via.key});
    if (arrival.parent == kRoot) break;
    to = from;
    arrival = arrivals_[arrival.parent];
  }
  std::reverse(edges.begin(), edges.end());
  std::vector<TxnId> passed;
  for (const CycleEdge& edge : edges) passed.push_back(edge.from);
  std::sort(passed.begin(), passed.end());
  if (std::adjacent_find(passed.begin(), passed.end()) != passed.end()) return;
  limit_ = edges.size() - 1;
  best_ = std::move(edges);
}

}  // namespace checker
