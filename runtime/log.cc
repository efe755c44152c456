#include "runtime/log.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace runtime {

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "unknown";
}

LogField::LogField(absl::string_view field_name, absl::string_view text)
    : name(field_name), value(text) {}
LogField::LogField(absl::string_view field_name, const char* text)
    : name(field_name), value(text) {}
LogField::LogField(absl::string_view field_name, const std::string& text)
    : name(field_name), value(text) {}
LogField::LogField(absl::string_view field_name, double number)
    : name(field_name), value(absl::StrCat(number)) {}
LogField::LogField(absl::string_view field_name, bool flag)
    : name(field_name), value(flag ? "true" : "false") {}

std::string FormatLogLine(Severity severity, absl::string_view event,
                          std::initializer_list<LogField> fields) {
  std::string line = absl::StrCat(SeverityName(severity), " ", event);
  for (const LogField& field : fields) {
    const bool plain =
        !field.value.empty() && field.value.find_first_of(" \"=\n\t\r\\") == std::string::npos;
    absl::StrAppend(&line, " ", field.name, "=",
                    plain ? field.value : absl::StrCat("\"", absl::CEscape(field.value), "\""));
  }
  return line;
}

}  // namespace runtime
