#include "truetime/kernel/marzullo.h"

#include <algorithm>

#include "runtime/check.h"

namespace truetime {

namespace {

// An interval begins or ends. At the same point beginnings come first, since ends are included.
struct Edge {
  Timestamp at;
  bool end;

  friend bool operator<(const Edge& a, const Edge& b) {
    return a.at != b.at ? a.at < b.at : a.end < b.end;
  }
};

std::vector<Edge> SortedEdges(const std::vector<Interval>& intervals) {
  std::vector<Edge> edges;
  edges.reserve(2 * intervals.size());
  for (const Interval& interval : intervals) {
    CHECK(interval.valid()) << interval;
    edges.push_back({interval.earliest, false});
    edges.push_back({interval.latest, true});
  }
  std::sort(edges.begin(), edges.end());
  return edges;
}

}  // namespace

Overlap LargestOverlap(const std::vector<Interval>& intervals) {
  Overlap best;
  size_t open = 0;
  bool extending = false;  // Nothing has ended since the best count was reached.
  for (const Edge& edge : SortedEdges(intervals)) {
    if (!edge.end) {
      if (++open > best.count) {
        best = {open, {edge.at, Timestamp::Max()}};
        extending = true;
      }
    } else {
      if (extending) best.common.latest = edge.at;
      extending = false;
      --open;
    }
  }
  return best;
}

std::vector<Interval> PointsInAtLeast(const std::vector<Interval>& intervals, size_t count) {
  CHECK_GT(count, 0u);
  std::vector<Interval> stretches;
  size_t open = 0;
  for (const Edge& edge : SortedEdges(intervals)) {
    if (!edge.end) {
      if (++open != count) continue;
      // Points are whole nanoseconds: what ends just before is continued.
      if (!stretches.empty() && stretches.back().latest + Duration(1) >= edge.at) continue;
      stretches.push_back({edge.at, edge.at});
    } else if (open-- == count) {
      stretches.back().latest = edge.at;
    }
  }
  return stretches;
}

}  // namespace truetime
