// Histories as text: read and written as Jepsen and Elle do.
#ifndef WORKLOAD_CHECKER_HISTORY_FORMAT_H_
#define WORKLOAD_CHECKER_HISTORY_FORMAT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "workload/checker/history.h"

namespace checker {

enum class HistoryFormat : uint8_t {
  kAuto,  // By the first event: its first name is a string in JSON, a keyword in EDN.
  kEdn,
  kJson,
};

// InvalidArgument if the text is no history: one sentence, with the line and column.
absl::StatusOr<History> ReadHistory(absl::string_view text, HistoryFormat format);

// An event on each line; ReadHistory() gives the same history again. kAuto writes EDN.
std::string WriteHistory(const History& history, HistoryFormat format);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_HISTORY_FORMAT_H_
