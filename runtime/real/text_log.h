// TextLog: log lines to standard error, a file or nowhere.
//
//   2026-11-20T10:00:00.123456Z warning network.disconnected peer=2 reason="..."
//
// The time is UTC. Lines below the minimum severity cost a comparison. A line is on its way to the
// file when Write() returns.
#ifndef RUNTIME_REAL_TEXT_LOG_H_
#define RUNTIME_REAL_TEXT_LOG_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/log.h"

namespace spdlog {
class logger;
}

namespace real {

class TextLog final : public runtime::Log {
 public:
  // Drops everything.
  static std::unique_ptr<TextLog> ToNowhere();
  static std::unique_ptr<TextLog> ToStandardError(runtime::Severity minimum);
  // Appends to the file at `path`, making it and its folder if need be.
  static absl::StatusOr<std::unique_ptr<TextLog>> ToFile(const std::string& path,
                                                         runtime::Severity minimum);
  ~TextLog() override;

  void Write(runtime::Severity severity, absl::string_view event,
             std::initializer_list<runtime::LogField> fields) override;

 private:
  TextLog(std::shared_ptr<spdlog::logger> logger, runtime::Severity minimum);

  const std::shared_ptr<spdlog::logger> logger_;  // Null: drops everything.
  const runtime::Severity minimum_;
};

}  // namespace real

#endif  // RUNTIME_REAL_TEXT_LOG_H_
