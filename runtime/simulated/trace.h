// TraceSink: where the lines of an event trace go, for people to follow what happened.
//
//   12.003456s n2 recv kind=1 from n1 34B
//
// Lines are made only while a sink is set; a run is the same with and without one.
#ifndef RUNTIME_SIMULATED_TRACE_H_
#define RUNTIME_SIMULATED_TRACE_H_

#include <cstddef>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"

namespace simulated {

class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // One line, without its end.
  virtual void Line(absl::string_view line) = 0;
};

// Keeps the last lines: the tail that a failure prints.
class TraceRing final : public TraceSink {
 public:
  explicit TraceRing(size_t lines_max) : lines_max_(lines_max) {}

  void Line(absl::string_view line) override;
  const std::deque<std::string>& lines() const { return lines_; }

 private:
  const size_t lines_max_;
  std::deque<std::string> lines_;  // Invariant: size <= lines_max_.
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_TRACE_H_
