// Whether a transaction agrees with itself: what it reads of a key after it read or wrote there is
// what it then left. Elle's anomaly `internal`.
#ifndef WORKLOAD_CHECKER_INTERNAL_CONSISTENCY_H_
#define WORKLOAD_CHECKER_INTERNAL_CONSISTENCY_H_

#include <optional>

#include "workload/checker/anomaly.h"
#include "workload/checker/history.h"
#include "workload/checker/operations.h"

namespace checker {

// The operations of `id` on one key; an anomaly goes to the log. Whether there was none.
bool CheckListsInternally(const History& history, TxnId id, KeyOperations operations,
                          AnomalyLog* log);
bool CheckRegisterInternally(const History& history, TxnId id, KeyOperations operations,
                             AnomalyLog* log);

// What a transaction read of a list that others left it: the first list it read of a key, without
// what it had appended itself. Nothing if it read none, or something else than it had appended.
std::optional<absl::Span<const int64_t>> ListFromOthers(const History& history,
                                                        KeyOperations operations);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_INTERNAL_CONSISTENCY_H_
