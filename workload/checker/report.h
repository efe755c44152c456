// A verdict as a person reads it, and as a program does.
#ifndef WORKLOAD_CHECKER_REPORT_H_
#define WORKLOAD_CHECKER_REPORT_H_

#include <string>

#include "workload/checker/check.h"
#include "workload/checker/history.h"

namespace checker {

// Some lines: what was checked, the verdict, and each anomaly with its transactions and, for a
// cycle, why each of its steps holds.
std::string FormatVerdict(const History& history, const Verdict& verdict);

// The same as one JSON object, on one line.
std::string FormatVerdictJson(const History& history, const Verdict& verdict);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_REPORT_H_
