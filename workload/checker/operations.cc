#include "workload/checker/operations.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace checker {

void OperationsByKey::ForEach(TxnId id, absl::FunctionRef<void(KeyId, KeyOperations)> visit) {
  sorted_.clear();
  for (const Operation& operation : history_.operations(id)) sorted_.push_back(&operation);
  // Within a key in their order, which is that of their places in one array.
  std::sort(sorted_.begin(), sorted_.end(), [](const Operation* a, const Operation* b) {
    return a->key != b->key ? a->key < b->key : a < b;
  });
  for (size_t begin = 0; begin < sorted_.size();) {
    size_t end = begin + 1;
    while (end < sorted_.size() && sorted_[end]->key == sorted_[begin]->key) ++end;
    visit(sorted_[begin]->key, absl::MakeConstSpan(sorted_).subspan(begin, end - begin));
    begin = end;
  }
}

absl::StatusOr<WriteIndex> WriteIndex::Build(const History& history) {
  WriteIndex index;
  size_t writes = 0;
  for (TxnId id = 0; id < history.transactions().size(); ++id) {
    for (const Operation& operation : history.operations(id)) {
      writes += operation.kind != OperationKind::kRead ? 1 : 0;
    }
  }
  index.writes_.reserve(writes);
  OperationsByKey operations(history);
  absl::Status status;
  for (TxnId id = 0; id < history.transactions().size() && status.ok(); ++id) {
    operations.ForEach(id, [&](KeyId key, KeyOperations on_key) {
      Write* last = nullptr;
      for (const Operation* operation : on_key) {
        if (operation->kind == OperationKind::kRead) continue;
        // No pointer outlives the next insertion but for the reservation above.
        if (last != nullptr) last->last = false;
        const auto [write, is_new] =
            index.writes_.try_emplace({key, operation->value}, Write{id, true});
        if (!is_new) {
          status = absl::InvalidArgumentError(
              absl::StrCat(TxnName(write->second.writer), " and ", TxnName(id), " both write ",
                           operation->value, " to ", KeyName(history.keys()[key]),
                           ": without timestamps, each value must be written to a key just once"));
          return;
        }
        last = &write->second;
      }
    });
  }
  if (!status.ok()) return status;
  return index;
}

}  // namespace checker
