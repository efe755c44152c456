// Cycles of dependencies, each by the name of the phenomenon that it is.
//
// The names are Adya's ("Weak Consistency", 1999) as Elle uses them (Kingsbury and Alvaro, VLDB
// 2020). Of each strongly connected component the worst phenomenon is reported, and of that the
// shortest cycle: what is wrong is easiest to see in it. Cycles that need the order of processes or
// real time are reported only where no cycle without it is as bad.
#ifndef WORKLOAD_CHECKER_CYCLES_H_
#define WORKLOAD_CHECKER_CYCLES_H_

#include <string>
#include <vector>

#include "workload/checker/graph.h"
#include "workload/checker/history.h"

namespace checker {

// From the worst to the mildest: a database that allows one allows all that follow.
enum class CycleClass : uint8_t {
  kG0,            // ww edges alone: writes are interleaved (dirty write).
  kG1c,           // ww and wr edges: information flows in a circle.
  kGSingle,       // Just one rw edge (read skew).
  kGNonadjacent,  // More, but no two in a row (long fork).
  kG2Item,        // Any (write skew).
};
inline constexpr size_t kCycleClasses = 5;

struct CycleEdge {
  TxnId from;
  TxnId to;
  EdgeKind kind;
  Level level;
  KeyId key;
};

struct Cycle {
  CycleClass phenomenon;
  Level level;
  std::vector<CycleEdge> edges;
  // Whether no shorter one was possible. False where the component is so large that the search for
  // the shortest was given up.
  bool shortest = true;
};

// "G-single", "G-single-process", "G-single-realtime".
std::string CycleName(CycleClass phenomenon, Level level);

struct CycleQuery {
  CycleClass mildest = CycleClass::kG2Item;  // What is milder is no offence.
  Level level_max = Level::kRealTime;
  Level order = Level::kRealTime;  // What transactions were promised, by edges of kOrder.
  // How many edges the search for a shortest cycle may visit before it takes any: for each
  // component, phenomenon and level.
  uint64_t steps_max = 20'000'000;
};

struct CycleFindings {
  std::vector<Cycle> cycles;
  // Components that are offences or not: the search gave up. Only if `mildest` is milder than
  // nothing, never for kG2Item.
  size_t undecided = 0;
};

CycleFindings FindCycles(const History& history, const DependencyGraph& graph, CycleQuery query);

// What a cycle is, by its edges.
CycleClass Classify(const std::vector<CycleEdge>& edges);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_CYCLES_H_
