#include "runtime/simulated/simulated_log.h"

#include "absl/strings/str_cat.h"

namespace simulated {

void SimulatedLog::Write(runtime::Severity severity, absl::string_view event,
                         std::initializer_list<runtime::LogField> fields) {
  uint64_t content = HashBytes(event);
  for (const runtime::LogField& field : fields) {
    content = Mix(Mix(content, HashBytes(field.name)), HashBytes(field.value));
  }
  recorder_.Fold(Happened::kLog, node_.value(), content);
  if (!recorder_.tracing()) return;
  recorder_.Trace(node_, absl::StrCat("log ", runtime::FormatLogLine(severity, event, fields)));
}

}  // namespace simulated
