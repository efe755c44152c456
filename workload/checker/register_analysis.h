// RegisterAnalysis: what reads and writes of registers tell of the order of transactions.
//
// Place:    black-box mode, histories of registers. Elle, section 5: a read of a register tells one
//           version only, so the order of versions is known in part.
// Order:    nil is before all versions (initial state); what a transaction read is before what it
//           then wrote there (writes follow reads), and each of its writes before the next. If the
//           database promises the order of processes or real time, then for each key: what was seen
//           is before what is seen, or first written, by whoever begins later.
// Edges:    wr from the writer of a version to its readers, ww from the writer of a version to that
//           of a later one, rw from the readers of a version to the writers of later ones. Those
//           that rest on a promised order have its level.
// Cost:     O(n log n) for a history that is right; more only where many stale versions of one key
//           are read between newer ones.
//
// A key whose versions are in a circle is an anomaly of its own (cyclic-versions) and gives wr edges
// alone.
#ifndef WORKLOAD_CHECKER_REGISTER_ANALYSIS_H_
#define WORKLOAD_CHECKER_REGISTER_ANALYSIS_H_

#include <string>
#include <vector>

#include "workload/checker/anomaly.h"
#include "workload/checker/cycles.h"
#include "workload/checker/graph.h"
#include "workload/checker/history.h"
#include "workload/checker/operations.h"

namespace checker {

class RegisterAnalysis {
 public:
  // All outlive it. `keys_ordered_by` is what each key promises by itself.
  RegisterAnalysis(const History& history, WriteIndex* writes, Level keys_ordered_by,
                   AnomalyLog* log);

  // Logs the anomalies that are no cycles, and adds the dependencies to `graph`.
  void Run(DependencyGraph* graph);

  // Why an edge that Run() added holds.
  std::string Explain(const CycleEdge& edge) const;

 private:
  // Nil of each key first, by the id of the key; then what was written.
  using VersionId = uint32_t;
  static constexpr VersionId kNoVersion = kNoTxn;

  struct Version {
    KeyId key;
    int64_t value;
    TxnId writer;           // kNoTxn of nil, and of what was aborted.
    EventId seen = kNever;  // The first end of a transaction that read or wrote it.
    NodeId later = kNoTxn;  // Leads to the writers of versions that follow it by reads and writes.
    uint32_t readers = 0;
  };
  // What a transaction saw of a key, or wrote there if it saw nothing.
  struct Touch {
    KeyId key;
    TxnId id;
    VersionId first;
    VersionId last;  // What it left there.
    bool reads;      // `first` was read.
  };
  struct Following {
    VersionId before;
    VersionId after;
  };

  void MakeVersions();
  void CheckTransaction(TxnId id, KeyId key, KeyOperations operations);
  VersionId CheckRead(TxnId reader, const Operation& read);
  void CheckLostUpdates();
  void FindCyclicKeys();
  void AddReadFrom();
  void AddFollowing();
  void AddFromNil();
  void AddProcessFollowing();
  void AddRealTimeFollowing();
  void AddRealTimeOfKey(absl::Span<const Touch> touches);
  std::string DescribeVersion(VersionId version) const;
  std::string Name(KeyId key) const { return KeyName(history_.keys()[key]); }
  const Touch* FindTouch(TxnId id, KeyId key) const;

  const History& history_;
  WriteIndex* const writes_;
  const Level keys_ordered_by_;
  AnomalyLog* const log_;
  DependencyGraph* graph_ = nullptr;
  std::vector<Version> versions_;
  std::vector<Touch> touches_;        // By key, then in the order of beginnings.
  std::vector<Following> following_;  // By reads and writes alone; nil is left out.
  std::vector<bool> cyclic_;          // By key.
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_REGISTER_ANALYSIS_H_
