#include "runtime/simulated/recorder.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace simulated {

void Recorder::Trace(NodeId node, absl::string_view event) {
  if (sink_ == nullptr) return;
  const int64_t now_us = now_.nanoseconds() / 1000;
  const std::string who = node == NodeId() ? "world" : absl::StrCat("n", node.value());
  sink_->Line(
      absl::StrFormat("%d.%06ds %s %s", now_us / 1'000'000, now_us % 1'000'000, who, event));
}

}  // namespace simulated
