// Reads EDN, the data notation of Clojure: strictly, and no deeper than 64 levels.
//
// A text holds values one after the other, or a single vector or list of them, which is how
// Jepsen's histories come. Tags (#jepsen.history.Op) are read over, comments and #_ skipped.
#ifndef WORKLOAD_CHECKER_EDN_READER_H_
#define WORKLOAD_CHECKER_EDN_READER_H_

#include "workload/checker/form.h"

namespace checker {

absl::Status ReadEdn(absl::string_view text, FormSink sink);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_EDN_READER_H_
