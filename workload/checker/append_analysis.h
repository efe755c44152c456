// AppendAnalysis: what lists that are only appended to tell of the order of transactions.
//
// Place:    black-box mode, histories of lists. Elle, section 4: a read of a list tells not only its
//           last version but all versions before it, in their order.
// Order:    the versions of a key are the prefixes of the longest list that was read of it. Appends
//           that are not in it come after it, in an order that nobody saw.
// Edges:    ww from the writer of an element to that of the next, wr from the writer of the last
//           element of a list to its reader, rw from the reader of a list to the writer of the next
//           element, or to all who appended what the longest list has not.
// Cost:     linear in the size of the history.
#ifndef WORKLOAD_CHECKER_APPEND_ANALYSIS_H_
#define WORKLOAD_CHECKER_APPEND_ANALYSIS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "workload/checker/anomaly.h"
#include "workload/checker/cycles.h"
#include "workload/checker/graph.h"
#include "workload/checker/history.h"
#include "workload/checker/operations.h"

namespace checker {

class AppendAnalysis {
 public:
  // All outlive it. Positions of elements are written into `writes`.
  AppendAnalysis(const History& history, WriteIndex* writes, AnomalyLog* log);

  // Logs the anomalies that are no cycles, and adds the dependencies to `graph`.
  void Run(DependencyGraph* graph);

  // Why an edge that Run() added holds.
  std::string Explain(const CycleEdge& edge) const;

 private:
  using List = absl::Span<const int64_t>;

  struct KeyOrder {
    std::vector<int64_t>
        without_duplicates;  // The order, if the longest list has an element twice.
    List order;
    TxnId reader = kNoTxn;  // Of the longest list.
    // In `order`, the first element that no committed transaction can have written.
    size_t first_bad = 0;
    NodeId unseen_waypoint = kNoTxn;  // Leads to all who appended what is not in `order`.
  };

  void FindOrder(KeyId key);
  void Number(KeyId key);
  void AddWriteEdges(KeyId key);
  void AddUnseenAppends();
  void CheckTransaction(TxnId reader, KeyId key, KeyOperations operations);
  void CheckRead(TxnId reader, KeyId key, List list);
  void CheckElements(TxnId reader, KeyId key, List list, bool is_prefix);
  void CheckLostUpdate(TxnId id, KeyId key, List list, KeyOperations operations);
  void AddUnseenEdges(TxnId reader, KeyId key, KeyOperations operations);
  void AddReadEdges(TxnId reader, KeyId key, List list, bool is_prefix);
  // The first committed writer in the order from `position` on.
  TxnId WriterFrom(KeyId key, size_t position) const;
  // The committed element before `position`, if it is of this writer.
  std::optional<int64_t> AppendBefore(KeyId key, uint32_t position, TxnId writer) const;
  bool MayHaveCommitted(TxnId id) const {
    return history_.transaction(id).outcome != Outcome::kFail;
  }
  std::string Name(KeyId key) const { return KeyName(history_.keys()[key]); }

  const History& history_;
  WriteIndex* const writes_;
  AnomalyLog* const log_;
  DependencyGraph* graph_ = nullptr;
  std::vector<KeyOrder> orders_;  // By key.
  // Who read a list, named by key and length, and appended to it.
  absl::flat_hash_map<std::pair<KeyId, size_t>, TxnId> updaters_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_APPEND_ANALYSIS_H_
