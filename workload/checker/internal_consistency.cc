#include "workload/checker/internal_consistency.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"

namespace checker {
namespace {

bool IsSuffix(absl::Span<const int64_t> suffix, absl::Span<const int64_t> list) {
  return suffix.size() <= list.size() && std::equal(suffix.rbegin(), suffix.rend(), list.rbegin());
}

}  // namespace

bool CheckListsInternally(const History& history, TxnId id, KeyOperations operations,
                          AnomalyLog* log) {
  if (operations.size() == 1) return true;
  std::vector<int64_t> own;
  bool known = false;  // Whether `own` is the whole list, or what was appended to an unknown one.
  for (const Operation* operation : operations) {
    if (operation->kind == OperationKind::kAppend) {
      own.push_back(operation->value);
      continue;
    }
    if (!operation->known) continue;
    const absl::Span<const int64_t> list = history.list(*operation);
    if (known ? list == absl::MakeConstSpan(own) : IsSuffix(own, list)) {
      own.assign(list.begin(), list.end());
      known = true;
      continue;
    }
    log->Add("internal", [&] {
      return Anomaly{
          .sentence = absl::StrCat(TxnName(id), " read ", KeyName(history.keys()[operation->key]),
                                   " = ", DescribeList(list), ", but by what it had read and ",
                                   "appended itself the list ", known ? "was " : "ended in ",
                                   DescribeList(own)),
          .transactions = {id}};
    });
    return false;
  }
  return true;
}

bool CheckRegisterInternally(const History& history, TxnId id, KeyOperations operations,
                             AnomalyLog* log) {
  const Operation* last = nullptr;
  for (const Operation* operation : operations) {
    if (!operation->known) continue;
    const bool differs = last != nullptr && operation->kind == OperationKind::kRead &&
                         operation->value != last->value;
    if (differs) {
      log->Add("internal", [&] {
        return Anomaly{
            .sentence = absl::StrCat(TxnName(id), " read ", KeyName(history.keys()[operation->key]),
                                     " = ", DescribeValue(operation->value), " after it had ",
                                     last->kind == OperationKind::kRead ? "read " : "written ",
                                     DescribeValue(last->value), " there itself"),
            .transactions = {id}};
      });
      return false;
    }
    last = operation;
  }
  return true;
}

std::optional<absl::Span<const int64_t>> ListFromOthers(const History& history,
                                                        KeyOperations operations) {
  size_t own = 0;
  for (const Operation* operation : operations) {
    if (operation->kind == OperationKind::kAppend) {
      ++own;
    } else if (operation->known) {
      const absl::Span<const int64_t> list = history.list(*operation);
      if (list.size() < own) return std::nullopt;
      for (size_t i = 0; i < own; ++i) {
        if (operations[i]->value != list[list.size() - own + i]) return std::nullopt;
      }
      return list.subspan(0, list.size() - own);
    }
  }
  return std::nullopt;
}

}  // namespace checker
