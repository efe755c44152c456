// Marzullo's algorithm: where do the most intervals overlap?
//
// K. Marzullo, "Maintaining the time in a distributed system" (1984): if a majority of clocks is
// right, true time lies where a majority of their intervals has a common point. Such points need
// not lie together: of three intervals the first may overlap both others while those are disjoint.
// So a clock is certainly wrong only if it touches no majority at all.
#ifndef TRUETIME_KERNEL_MARZULLO_H_
#define TRUETIME_KERNEL_MARZULLO_H_

#include <cstddef>
#include <vector>

#include "truetime/interval.h"

namespace truetime {

struct Overlap {
  size_t count = 0;  // How many intervals have the common points; 0 without any interval.
  Interval common;   // The earliest stretch of points that lie in so many.
};

// The largest number of intervals with a common point. O(n log n).
Overlap LargestOverlap(const std::vector<Interval>& intervals);

// All points that lie in at least `count` intervals, as disjoint stretches in order. `count` > 0.
// Stretches with no gap between them come as one.
std::vector<Interval> PointsInAtLeast(const std::vector<Interval>& intervals, size_t count);

}  // namespace truetime

#endif  // TRUETIME_KERNEL_MARZULLO_H_
