// SimulatedLog: a node's log lines, into the trace and the running hash.
#ifndef RUNTIME_SIMULATED_SIMULATED_LOG_H_
#define RUNTIME_SIMULATED_SIMULATED_LOG_H_

#include "runtime/log.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

class SimulatedLog final : public runtime::Log {
 public:
  SimulatedLog(Recorder* recorder, NodeId node) : recorder_(*recorder), node_(node) {}

  void Write(runtime::Severity severity, absl::string_view event,
             std::initializer_list<runtime::LogField> fields) override;

 private:
  Recorder& recorder_;
  const NodeId node_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_SIMULATED_LOG_H_
