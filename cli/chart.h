// A chart of columns in a terminal, drawn with eighth-block characters.
#ifndef CLI_CHART_H_
#define CLI_CHART_H_

#include <string>
#include <vector>

namespace cli {

// Draws `values` (each >= 0) as columns, the newest at the right, in `height` lines of `width`
// characters. The tallest possible column is `top`; what is above it is cut there. Fewer values
// than `width` leave the left side empty.
std::vector<std::string> DrawColumns(const std::vector<double>& values, double top, int width,
                                     int height);

// The smallest of 1, 2 and 5 times a power of ten that is at least `value`; 1 for zero.
double RoundUpForAxis(double value);

}  // namespace cli

#endif  // CLI_CHART_H_
