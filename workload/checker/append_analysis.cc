#include "workload/checker/append_analysis.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "workload/checker/internal_consistency.h"

namespace checker {
namespace {

bool IsPrefix(absl::Span<const int64_t> prefix, absl::Span<const int64_t> list) {
  return prefix.size() <= list.size() && std::equal(prefix.begin(), prefix.end(), list.begin());
}

// The elements that stand in the list before.
std::vector<int64_t> Duplicates(absl::Span<const int64_t> list) {
  std::vector<int64_t> sorted(list.begin(), list.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> twice;
  for (size_t i = 1; i < sorted.size(); ++i) {
    const bool again = sorted[i] == sorted[i - 1];
    if (again && (twice.empty() || twice.back() != sorted[i])) twice.push_back(sorted[i]);
  }
  return twice;
}

// The last list that was read of a key, with what the transaction had appended itself.
std::optional<absl::Span<const int64_t>> LastRead(const History& history,
                                                  KeyOperations operations) {
  for (size_t i = operations.size(); i-- > 0;) {
    const Operation& operation = *operations[i];
    if (operation.kind == OperationKind::kRead && operation.known) return history.list(operation);
  }
  return std::nullopt;
}

}  // namespace

AppendAnalysis::AppendAnalysis(const History& history, WriteIndex* writes, AnomalyLog* log)
    : history_(history), writes_(writes), log_(log), orders_(history.keys().size()) {}

void AppendAnalysis::Run(DependencyGraph* graph) {
  graph_ = graph;
  for (TxnId id = 0; id < history_.transactions().size(); ++id) {
    if (history_.transaction(id).outcome != Outcome::kOk) continue;
    for (const Operation& operation : history_.operations(id)) {
      if (operation.kind != OperationKind::kRead || !operation.known) continue;
      KeyOrder& longest = orders_[operation.key];
      if (longest.reader != kNoTxn && longest.order.size() >= operation.list_size) continue;
      longest.order = history_.list(operation);
      longest.reader = id;
    }
  }
  for (KeyId key = 0; key < orders_.size(); ++key) {
    FindOrder(key);
    Number(key);
    AddWriteEdges(key);
  }
  AddUnseenAppends();
  OperationsByKey operations(history_);
  for (TxnId id = 0; id < history_.transactions().size(); ++id) {
    if (history_.transaction(id).outcome != Outcome::kOk) continue;
    operations.ForEach(id,
                       [&](KeyId key, KeyOperations on_key) { CheckTransaction(id, key, on_key); });
  }
}

void AppendAnalysis::FindOrder(KeyId key) {
  KeyOrder& order = orders_[key];
  if (Duplicates(order.order).empty()) return;
  absl::flat_hash_set<int64_t> seen;
  for (const int64_t element : order.order) {
    if (seen.insert(element).second) order.without_duplicates.push_back(element);
  }
  order.order = order.without_duplicates;
}

void AppendAnalysis::Number(KeyId key) {
  KeyOrder& order = orders_[key];
  order.first_bad = order.order.size();
  for (size_t i = 0; i < order.order.size(); ++i) {
    WriteIndex::Write* const write = writes_->Find(key, order.order[i]);
    if (write != nullptr) write->position = static_cast<uint32_t>(i);
    const bool good = write != nullptr && MayHaveCommitted(write->writer);
    if (!good && order.first_bad == order.order.size()) order.first_bad = i;
  }
}

TxnId AppendAnalysis::WriterFrom(KeyId key, size_t position) const {
  const List order = orders_[key].order;
  for (; position < order.size(); ++position) {
    const WriteIndex::Write* const write = writes_->Find(key, order[position]);
    if (write != nullptr && MayHaveCommitted(write->writer)) return write->writer;
  }
  return kNoTxn;
}

void AppendAnalysis::AddWriteEdges(KeyId key) {
  const List order = orders_[key].order;
  TxnId before = kNoTxn;
  const WriteIndex::Write* aborted = nullptr;
  bool dirty = false;
  for (const int64_t element : order) {
    const WriteIndex::Write* const write = writes_->Find(key, element);
    if (write == nullptr) continue;
    if (!MayHaveCommitted(write->writer)) {
      aborted = write;
      continue;
    }
    if (aborted != nullptr && !dirty) {
      dirty = true;
      log_->Add("dirty-update", [&] {
        return Anomaly{
            .sentence = absl::StrCat(TxnName(write->writer), " appended ", element, " to ",
                                     Name(key), " on top of what ", TxnName(aborted->writer),
                                     " had appended, which was aborted"),
            .transactions = {aborted->writer, write->writer}};
      });
    }
    if (before != kNoTxn) {
      graph_->Add(before, write->writer, EdgeKind::kWriteWrite, Level::kPlain, key);
    }
    before = write->writer;
  }
}

// Whoever appended what is not in the longest list comes after all who read that list. That it comes
// after the writers, too, follows; ww edges for it would call a lost append a dirty write.
void AppendAnalysis::AddUnseenAppends() {
  for (KeyOrder& order : orders_) order.unseen_waypoint = graph_->AddWaypoint();
  for (TxnId id = 0; id < history_.transactions().size(); ++id) {
    if (!MayHaveCommitted(id)) continue;
    for (const Operation& operation : history_.operations(id)) {
      if (operation.kind != OperationKind::kAppend || orders_[operation.key].reader == kNoTxn) {
        continue;
      }
      if (writes_->Find(operation.key, operation.value)->position == WriteIndex::kNowhere) {
        graph_->AddOnward(orders_[operation.key].unseen_waypoint, id);
      }
    }
  }
}

void AppendAnalysis::CheckTransaction(TxnId reader, KeyId key, KeyOperations operations) {
  if (!CheckListsInternally(history_, reader, operations, log_)) return;
  const std::optional<List> list = ListFromOthers(history_, operations);
  if (!list.has_value()) return;
  CheckRead(reader, key, *list);
  CheckLostUpdate(reader, key, *list, operations);
  AddUnseenEdges(reader, key, operations);
}

void AppendAnalysis::CheckRead(TxnId reader, KeyId key, List list) {
  const KeyOrder& order = orders_[key];
  const bool is_prefix = IsPrefix(list, order.order);
  bool has_duplicates = false;
  if (!is_prefix) {
    const std::vector<int64_t> twice = Duplicates(list);
    has_duplicates = !twice.empty();
    if (has_duplicates) {
      log_->Add("duplicate-elements", [&] {
        return Anomaly{.sentence = absl::StrCat(TxnName(reader), " read ", Name(key), " = ",
                                                DescribeList(list), ", where ", twice[0],
                                                " stands more than once"),
                       .transactions = {reader}};
      });
    }
  }
  if (!is_prefix && !has_duplicates) {
    log_->Add("incompatible-order", [&] {
      return Anomaly{
          .sentence = absl::StrCat(TxnName(reader), " read ", Name(key), " = ", DescribeList(list),
                                   ", which is no beginning of ", DescribeList(order.order),
                                   ", as ", TxnName(order.reader), " read it"),
          .transactions = {reader, order.reader}};
    });
  }
  CheckElements(reader, key, list, is_prefix);
  AddReadEdges(reader, key, list, is_prefix);
}

void AppendAnalysis::CheckElements(TxnId reader, KeyId key, List list, bool is_prefix) {
  const auto said = [&](absl::string_view rest) {
    return absl::StrCat(TxnName(reader), " read ", Name(key), " = ", DescribeList(list), rest);
  };
  // Of a prefix of the order it is known where its first bad element stands.
  for (size_t i = is_prefix ? orders_[key].first_bad : 0; i < list.size(); ++i) {
    const WriteIndex::Write* const write = writes_->Find(key, list[i]);
    if (write == nullptr) {
      log_->Add("garbage-read", [&] {
        return Anomaly{.sentence = said(absl::StrCat(", but nobody appended ", list[i])),
                       .transactions = {reader}};
      });
    } else if (!MayHaveCommitted(write->writer)) {
      log_->Add("G1a", [&] {
        return Anomaly{
            .sentence = said(absl::StrCat(" with ", list[i], ", which ", TxnName(write->writer),
                                          " appended, and that was aborted")),
            .transactions = {write->writer, reader}};
      });
    } else {
      continue;
    }
    break;
  }
  if (list.empty()) return;
  const WriteIndex::Write* const last = writes_->Find(key, list.back());
  if (last == nullptr || last->last || last->writer == reader) return;
  log_->Add("G1b", [&] {
    return Anomaly{
        .sentence = said(absl::StrCat(", up to the ", list.back(), " of ", TxnName(last->writer),
                                      ", which then appended more: a state in its middle")),
        .transactions = {last->writer, reader}};
  });
}

void AppendAnalysis::CheckLostUpdate(TxnId id, KeyId key, List list, KeyOperations operations) {
  const bool appends = std::any_of(operations.begin(), operations.end(), [](const auto* operation) {
    return operation->kind == OperationKind::kAppend;
  });
  if (!appends || !IsPrefix(list, orders_[key].order)) return;
  const auto [other, is_first] = updaters_.emplace(std::pair(key, list.size()), id);
  if (is_first) return;
  log_->Add("lost-update", [&, first = other->second] {
    return Anomaly{.sentence = absl::StrCat(TxnName(first), " and ", TxnName(id), " both read ",
                                            Name(key), " = ", DescribeList(list),
                                            " and then appended to it, neither seeing the other"),
                   .transactions = {first, id}};
  });
}

void AppendAnalysis::AddReadEdges(TxnId reader, KeyId key, List list, bool is_prefix) {
  if (!list.empty()) {
    const WriteIndex::Write* const last = writes_->Find(key, list.back());
    if (last != nullptr && MayHaveCommitted(last->writer)) {
      graph_->Add(last->writer, reader, EdgeKind::kWriteRead, Level::kPlain, key);
    }
  }
  if (!is_prefix) return;
  const TxnId next = WriterFrom(key, list.size());
  if (next != kNoTxn) graph_->Add(reader, next, EdgeKind::kReadWrite, Level::kPlain, key);
}

// Here what it appended itself counts: no append is missing from that read but the unseen ones.
void AppendAnalysis::AddUnseenEdges(TxnId reader, KeyId key, KeyOperations operations) {
  const KeyOrder& order = orders_[key];
  const std::optional<List> list = LastRead(history_, operations);
  if (!list.has_value() || WriterFrom(key, list->size()) != kNoTxn) return;
  if (!IsPrefix(*list, order.order)) return;
  graph_->Add(reader, order.unseen_waypoint, EdgeKind::kReadWrite, Level::kPlain, key);
}

std::optional<int64_t> AppendAnalysis::AppendBefore(KeyId key, uint32_t position,
                                                    TxnId writer) const {
  if (position == WriteIndex::kNowhere) return std::nullopt;
  while (position-- > 0) {
    const int64_t element = orders_[key].order[position];
    const WriteIndex::Write* const write = writes_->Find(key, element);
    if (write == nullptr || !MayHaveCommitted(write->writer)) continue;
    return write->writer == writer ? std::optional(element) : std::nullopt;
  }
  return std::nullopt;
}

std::string AppendAnalysis::Explain(const CycleEdge& edge) const {
  const std::string from = TxnName(edge.from), to = TxnName(edge.to), key = Name(edge.key);
  List read;
  List last_read;
  OperationsByKey operations(history_);
  operations.ForEach(edge.kind == EdgeKind::kWriteRead ? edge.to : edge.from,
                     [&](KeyId on, KeyOperations on_key) {
                       if (on == edge.key) {
                         read = ListFromOthers(history_, on_key).value_or(List());
                         last_read = LastRead(history_, on_key).value_or(List());
                       }
                     });
  if (edge.kind == EdgeKind::kWriteRead) {
    return absl::StrCat(to, " read ", key, " = ", DescribeList(read), ", whose last element ", from,
                        " appended");
  }
  // Of several appends, the one that follows what `from` wrote or read.
  int64_t appended = 0;
  int64_t before = 0;
  for (const Operation& operation : history_.operations(edge.to)) {
    if (operation.kind != OperationKind::kAppend || operation.key != edge.key) continue;
    const uint32_t position = writes_->Find(edge.key, operation.value)->position;
    appended = operation.value;
    if (edge.kind == EdgeKind::kReadWrite) {
      if (position == WriteIndex::kNowhere) read = last_read;
      if (position >= read.size()) break;
      continue;
    }
    const std::optional<int64_t> previous = AppendBefore(edge.key, position, edge.from);
    before = previous.value_or(before);
    if (previous.has_value()) break;
  }
  if (edge.kind == EdgeKind::kReadWrite) {
    return absl::StrCat(from, " read ", key, " = ", DescribeList(read), ", without the ", appended,
                        " that ", to, " appended");
  }
  return absl::StrCat(from, " appended ", before, " to ", key, ", and ", to, " appended ", appended,
                      " behind it");
}

}  // namespace checker
