#include "workload/checker/cycles.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "workload/checker/cycle_search.h"

namespace checker {

std::string CycleName(CycleClass phenomenon, Level level) {
  static constexpr const char* kNames[kCycleClasses] = {"G0", "G1c", "G-single", "G-nonadjacent",
                                                        "G2-item"};
  static constexpr const char* kSuffixes[] = {"", "-process", "-realtime"};
  return absl::StrCat(kNames[static_cast<size_t>(phenomenon)],
                      kSuffixes[static_cast<size_t>(level)]);
}

CycleClass Classify(const std::vector<CycleEdge>& edges) {
  size_t rw_count = 0;
  bool has_wr = false;
  bool adjacent = false;
  for (size_t i = 0; i < edges.size(); ++i) {
    const bool rw = edges[i].kind == EdgeKind::kReadWrite;
    rw_count += rw ? 1 : 0;
    has_wr |= edges[i].kind == EdgeKind::kWriteRead;
    adjacent |= rw && edges[(i + 1) % edges.size()].kind == EdgeKind::kReadWrite;
  }
  if (rw_count == 0) return has_wr ? CycleClass::kG1c : CycleClass::kG0;
  if (rw_count == 1) return CycleClass::kGSingle;
  return adjacent ? CycleClass::kG2Item : CycleClass::kGNonadjacent;
}

namespace {

class Finder {
 public:
  Finder(const History& history, const DependencyGraph& graph, CycleQuery query)
      : graph_(graph),
        query_(query),
        search_(history, graph),
        worst_(history.transactions().size(), kCycleClasses) {}

  CycleFindings Run() {
    for (const Level level : {Level::kPlain, Level::kProcess, Level::kRealTime}) {
      if (level > query_.level_max) break;
      const EdgeFilter filter{.level_max = level,
                              .reads_overwritten = query_.mildest >= CycleClass::kGSingle};
      for (const std::vector<NodeId>& component : CyclicComponents(graph_, filter)) {
        search_.Enter(&component);
        SearchComponent(component, filter);
        search_.Leave();
      }
    }
    return std::move(findings_);
  }

 private:
  void SearchComponent(const std::vector<NodeId>& component, EdgeFilter filter) {
    // What a part of it is known for is not found again with the help of order.
    size_t known = kCycleClasses;
    for (const NodeId node : component) {
      if (graph_.IsTransaction(node)) known = std::min<size_t>(known, worst_[node]);
    }
    const size_t end = std::min(known, static_cast<size_t>(query_.mildest) + 1);
    bool exhausted = false;
    for (size_t i = 0; i < end; ++i) {
      const CycleClass phenomenon = static_cast<CycleClass>(i);
      CycleSearch::Result result = search_.FindShortest(
          phenomenon, filter.level_max, filter.level_max <= query_.order, query_.steps_max);
      exhausted |= result.exhausted;
      if (!result.cycle.has_value()) continue;
      Keep(component, {phenomenon, filter.level_max, *std::move(result.cycle), !result.exhausted});
      return;
    }
    if (known == kCycleClasses) TakeAny(component, filter, exhausted);
  }

  void TakeAny(const std::vector<NodeId>& component, EdgeFilter filter, bool exhausted) {
    std::vector<CycleEdge> edges = search_.FindAny(filter);
    const CycleClass phenomenon = Classify(edges);
    if (phenomenon > query_.mildest) {
      findings_.undecided += exhausted ? 1 : 0;
      return;
    }
    Level level = Level::kPlain;
    for (const CycleEdge& edge : edges) level = std::max(level, edge.level);
    Keep(component, {phenomenon, level, std::move(edges), false});
  }

  void Keep(const std::vector<NodeId>& component, Cycle cycle) {
    for (const NodeId node : component) {
      if (graph_.IsTransaction(node)) worst_[node] = static_cast<uint8_t>(cycle.phenomenon);
    }
    findings_.cycles.push_back(std::move(cycle));
  }

  const DependencyGraph& graph_;
  const CycleQuery query_;
  CycleSearch search_;
  std::vector<uint8_t> worst_;  // Of each transaction: the class found in a component with it.
  CycleFindings findings_;
};

}  // namespace

CycleFindings FindCycles(const History& history, const DependencyGraph& graph, CycleQuery query) {
  return Finder(history, graph, query).Run();
}

}  // namespace checker
