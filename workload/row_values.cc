#include "workload/row_values.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace workload {
namespace {

void TellWrong(TransactionJournal* journal, const storage::Key& key, const std::string& text) {
  journal->Wrong(
      absl::StrCat("garbage: key '", key, "' has the value '", text, "', which no client writes"));
}

}  // namespace

std::string ToText(const Tagged& value) { return absl::StrCat(value.number, ":", value.tag); }

std::optional<Tagged> ParseTagged(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, ':');
  Tagged value;
  if (!absl::SimpleAtoi(parts.first, &value.number) ||
      !absl::SimpleAtoi(parts.second, &value.tag)) {
    return std::nullopt;
  }
  return value;
}

std::string ToText(const std::vector<int64_t>& list) { return absl::StrJoin(list, " "); }

std::optional<std::vector<int64_t>> ParseList(absl::string_view text) {
  std::vector<int64_t> list;
  for (const absl::string_view part : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!absl::SimpleAtoi(part, &list.emplace_back())) return std::nullopt;
  }
  return list;
}

checker::EventOperation SawTagged(TransactionJournal* journal, const storage::Key& key,
                                  const std::optional<std::string>& text, Tagged* value) {
  *value = {};
  if (!text.has_value()) return checker::Read(key);
  const std::optional<Tagged> parsed = ParseTagged(*text);
  if (!parsed.has_value()) {
    TellWrong(journal, key, *text);
    return checker::Read(key);
  }
  *value = *parsed;
  return checker::Read(key, parsed->tag);
}

checker::EventOperation SawList(TransactionJournal* journal, const storage::Key& key,
                                const std::optional<std::string>& text,
                                std::vector<int64_t>* list) {
  list->clear();
  if (text.has_value()) {
    std::optional<std::vector<int64_t>> parsed = ParseList(*text);
    if (parsed.has_value()) {
      *list = *std::move(parsed);
    } else {
      TellWrong(journal, key, *text);
    }
  }
  return checker::ReadList(key, *list);
}

}  // namespace workload
