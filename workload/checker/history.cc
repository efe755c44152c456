#include "workload/checker/history.h"

#include "absl/strings/str_cat.h"

namespace checker {
namespace {

// A longer list shows so many of its first and of its last elements.
constexpr size_t kShownOfLongList = 8;

}  // namespace

std::string KeyName(const Key& key) {
  if (const int64_t* number = std::get_if<int64_t>(&key)) return absl::StrCat(*number);
  return std::get<std::string>(key);
}

std::string TxnName(TxnId id) { return absl::StrCat("T", id); }

std::string DescribeValue(int64_t value) { return value == kNil ? "nil" : absl::StrCat(value); }

std::string DescribeList(absl::Span<const int64_t> list) {
  std::string text = "[";
  for (size_t i = 0; i < list.size(); ++i) {
    if (list.size() > 3 * kShownOfLongList && i == kShownOfLongList) {
      i = list.size() - kShownOfLongList;
      absl::StrAppend(&text, " ... (", list.size(), " elements) ...");
    }
    absl::StrAppend(&text, i == 0 ? "" : " ", list[i]);
  }
  return text + "]";
}

std::string DescribeOperation(const History& history, const Operation& operation) {
  const std::string key = KeyName(history.keys()[operation.key]);
  switch (operation.kind) {
    case OperationKind::kAppend:
      return absl::StrCat("append ", key, " ", operation.value);
    case OperationKind::kWrite:
      return absl::StrCat("w ", key, " ", operation.value);
    case OperationKind::kRead:
      break;
  }
  if (!operation.known) return absl::StrCat("r ", key, " ?");
  return absl::StrCat("r ", key, " ",
                      history.datatype() == Datatype::kLists ? DescribeList(history.list(operation))
                                                             : DescribeValue(operation.value));
}

std::string DescribeOperations(const History& history, TxnId id) {
  std::string text;
  for (const Operation& operation : history.operations(id)) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", DescribeOperation(history, operation));
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace checker
