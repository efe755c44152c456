// Reads JSON: one array of values, or a value on each line.
#ifndef WORKLOAD_CHECKER_JSON_READER_H_
#define WORKLOAD_CHECKER_JSON_READER_H_

#include "workload/checker/form.h"

namespace checker {

absl::Status ReadJson(absl::string_view text, FormSink sink);

}  // namespace checker

#endif  // WORKLOAD_CHECKER_JSON_READER_H_
