#include "runtime/simulated/trace.h"

namespace simulated {

void TraceRing::Line(absl::string_view line) {
  if (lines_.size() == lines_max_) lines_.pop_front();
  if (lines_max_ > 0) lines_.emplace_back(line);
}

}  // namespace simulated
