#include "runtime/real/grpc_log.h"

#include <grpc/support/log.h>

#include <cstdlib>
#include <vector>

#include "runtime/real/mutex.h"

namespace real {
namespace {

struct Logs {
  Mutex mutex;
  std::vector<runtime::Log*> logs ABSL_GUARDED_BY(mutex);  // The youngest last.
};

Logs& AllLogs() {
  static auto* const all = new Logs;  // gRPC's threads may log until the very end.
  return *all;
}

void Forward(gpr_log_func_args* line) {
  if (line->severity != GPR_LOG_SEVERITY_ERROR) return;
  Logs& all = AllLogs();
  MutexLock lock(&all.mutex);
  if (all.logs.empty()) return;
  all.logs.back()->Write(runtime::Severity::kWarning, "network.grpc", {{"message", line->message}});
}

}  // namespace

GrpcLog::GrpcLog(runtime::Log* log) : log_(log) {
  Logs& all = AllLogs();
  MutexLock lock(&all.mutex);
  all.logs.push_back(log);
  const bool debugging =
      std::getenv("GRPC_TRACE") != nullptr || std::getenv("GRPC_VERBOSITY") != nullptr;
  static const bool installed = !debugging && (gpr_set_log_function(&Forward), true);
  (void)installed;
}

GrpcLog::~GrpcLog() {
  Logs& all = AllLogs();
  MutexLock lock(&all.mutex);
  std::erase(all.logs, log_);
}

}  // namespace real
