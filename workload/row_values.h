// The values of rows in workloads: numbers as text, and what the history says of them.
#ifndef WORKLOAD_ROW_VALUES_H_
#define WORKLOAD_ROW_VALUES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/key_range.h"
#include "workload/checker/history_builder.h"
#include "workload/transaction_journal.h"

namespace workload {

// A number whose write is known by its tag: "100:17". No two writes have one tag.
struct Tagged {
  int64_t number = 0;
  int64_t tag = 0;
};

std::string ToText(const Tagged& value);
std::optional<Tagged> ParseTagged(absl::string_view text);
// "1 2 3".
std::string ToText(const std::vector<int64_t>& list);
std::optional<std::vector<int64_t>> ParseList(absl::string_view text);

// What was read of a register, for the history: its tag, or nil. Tells the journal of what no client
// wrote; 0 and nothing then.
checker::EventOperation SawTagged(TransactionJournal* journal, const storage::Key& key,
                                  const std::optional<std::string>& text, Tagged* value);
checker::EventOperation SawList(TransactionJournal* journal, const storage::Key& key,
                                const std::optional<std::string>& text, std::vector<int64_t>* list);

}  // namespace workload

#endif  // WORKLOAD_ROW_VALUES_H_
