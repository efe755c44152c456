#include "cli/chart.h"

#include <algorithm>
#include <cmath>

#include "runtime/check.h"

namespace cli {
namespace {

constexpr int kEighths = 8;
// UTF-8 for a cell filled from below by 0 to 8 eighths.
constexpr const char* kCells[kEighths + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

}  // namespace

std::vector<std::string> DrawColumns(const std::vector<double>& values, double top, int width,
                                     int height) {
  CHECK(top > 0 && width > 0 && height > 0);
  const int shown = std::min(width, static_cast<int>(values.size()));
  std::vector<std::string> lines(static_cast<size_t>(height),
                                 std::string(static_cast<size_t>(width - shown), ' '));
  for (size_t i = values.size() - static_cast<size_t>(shown); i < values.size(); ++i) {
    const double part = std::clamp(values[i] / top, 0.0, 1.0);
    // A value that is not zero is seen, however small.
    const int eighths = static_cast<int>(std::ceil(part * height * kEighths));
    for (int line = 0; line < height; ++line) {
      const int below = (height - 1 - line) * kEighths;
      lines[static_cast<size_t>(line)] += kCells[std::clamp(eighths - below, 0, kEighths)];
    }
  }
  return lines;
}

double RoundUpForAxis(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1, 2, 5}) {
    if (value <= step * power) return step * power;
  }
  return 10 * power;
}

}  // namespace cli
