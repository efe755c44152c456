// Log: structured log lines. An event name, one sentence's worth of text, and fields.
//
//   world.log().Write(Severity::kWarning, "truetime.state", {{"state", "holdover"}, {"since_ns",
//   12}});
//
// In the real world to standard error or a file; in the simulated one into the event trace.
#ifndef RUNTIME_LOG_H_
#define RUNTIME_LOG_H_

#include <concepts>
#include <initializer_list>
#include <string>

#include "absl/strings/string_view.h"

namespace runtime {

enum class Severity { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning", "error".
absl::string_view SeverityName(Severity severity);

// One field of a log line, its value as text.
struct LogField {
  LogField(absl::string_view field_name, absl::string_view text);
  LogField(absl::string_view field_name, const char* text);
  LogField(absl::string_view field_name, const std::string& text);
  LogField(absl::string_view field_name, double number);
  LogField(absl::string_view field_name, bool flag);
  template <std::integral Number>
  LogField(absl::string_view field_name, Number number)
      : name(field_name), value(std::to_string(number)) {}

  absl::string_view name;
  std::string value;
};

// Any thread.
class Log {
 public:
  virtual ~Log() = default;

  // `event` is a stable dotted name ("network.connected"), for people to grep and programs to
  // match.
  virtual void Write(Severity severity, absl::string_view event,
                     std::initializer_list<LogField> fields) = 0;
};

// "severity event name=value name=\"two words\"": one line, without its end and without a time.
std::string FormatLogLine(Severity severity, absl::string_view event,
                          std::initializer_list<LogField> fields);

}  // namespace runtime

#endif  // RUNTIME_LOG_H_
