#include "runtime/real/text_log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace real {
namespace {

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("isochron", std::move(sink));
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      "%Y-%m-%dT%H:%M:%S.%fZ %v", spdlog::pattern_time_type::utc));
  logger->set_level(spdlog::level::trace);  // TextLog filters before it formats.
  logger->flush_on(spdlog::level::trace);
  return logger;
}

}  // namespace

TextLog::TextLog(std::shared_ptr<spdlog::logger> logger, runtime::Severity minimum)
    : logger_(std::move(logger)), minimum_(minimum) {}

TextLog::~TextLog() = default;

std::unique_ptr<TextLog> TextLog::ToNowhere() {
  return std::unique_ptr<TextLog>(new TextLog(nullptr, runtime::Severity::kError));
}

std::unique_ptr<TextLog> TextLog::ToStandardError(runtime::Severity minimum) {
  return std::unique_ptr<TextLog>(
      new TextLog(MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>()), minimum));
}

absl::StatusOr<std::unique_ptr<TextLog>> TextLog::ToFile(const std::string& path,
                                                         runtime::Severity minimum) {
  // spdlog says by exception what it cannot open.
  try {
    return std::unique_ptr<TextLog>(new TextLog(
        MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(path)), minimum));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write the log file ", path, ": ", error.what()));
  }
}

void TextLog::Write(runtime::Severity severity, absl::string_view event,
                    std::initializer_list<runtime::LogField> fields) {
  if (logger_ == nullptr || severity < minimum_) return;
  logger_->log(spdlog::level::info, "{}", runtime::FormatLogLine(severity, event, fields));
}

}  // namespace real
