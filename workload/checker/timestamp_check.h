// TimestampCheck: whether a history agrees with the timestamps that the database gave it.
//
// Place:   white-box mode. The timestamps are a witness: they name the one serial order, so nothing
//          is inferred and nothing searched for.
// Rules:   a transaction that writes is at its commit timestamp, one that only reads at its read
//          timestamp (or its commit timestamp, if it has no other), behind what was written there.
//          (1) Every read returns the newest version at or below that place.
//          (2) No two of those that write use the same key, one writing it, at the same timestamp.
//          (3) Who ended before another began has the smaller timestamp, if the second writes. If it
//              only reads, nothing that it read was overwritten since then: a read timestamp may be
//              an old one when nothing happened in the meantime. If the first only reads, what counts
//              is the newest that it saw: a read timestamp may be one that has not passed yet, as long
//              as nothing is written at or below it to what was read.
// Unknown: a transaction of unknown outcome and without a timestamp counts from where it is first
//          seen; all of it must fit one place.
// Cost:    O(n log n). Values need not be unique, except to name whose write a wrong read saw.
#ifndef WORKLOAD_CHECKER_TIMESTAMP_CHECK_H_
#define WORKLOAD_CHECKER_TIMESTAMP_CHECK_H_

#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "workload/checker/anomaly.h"
#include "workload/checker/graph.h"
#include "workload/checker/history.h"
#include "workload/checker/operations.h"

namespace checker {

class TimestampCheck {
 public:
  // `order` is what the database promises besides.
  TimestampCheck(const History& history, Level order, AnomalyLog* log);

  // InvalidArgument if a committed transaction has no timestamp.
  absl::Status Run();

 private:
  // A point of the serial order: readers are behind the writers of the same timestamp.
  struct Place {
    int64_t timestamp = kUntold;
    bool reads_only = false;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Version {
    int64_t value;
    int64_t timestamp;
    TxnId writer;
  };
  struct KeyState {
    std::vector<Version> versions;  // Of a list its elements; in the order of timestamps.
    int64_t last_read = kUntold;    // The highest timestamp at which it was read.
  };
  // Where a transaction of unknown outcome can be: above `low`, at or below `high`.
  struct Window {
    int64_t low = kUntold;
    int64_t high = std::numeric_limits<int64_t>::max();
  };
  // Who ended last, by the serial order.
  struct Frontier {
    Place place;
    TxnId id = kNoTxn;
  };

  absl::Status Collect();
  void Replay();
  void CheckReads(TxnId id);
  void CheckList(TxnId id, KeyId key, absl::Span<const int64_t> list);
  void CheckRegister(TxnId id, const Operation& read);
  void Apply(TxnId id);
  void CheckTies(absl::Span<const TxnId> group);
  // Makes room for what only transactions of unknown outcome can have written.
  void AdoptList(TxnId reader, KeyId key, absl::Span<const int64_t> list);
  bool AdoptRegister(TxnId reader, KeyId key, int64_t value);
  bool Adopt(TxnId reader, KeyId key, int64_t value, size_t position);
  void LogRead(TxnId reader, KeyId key, int64_t seen, const std::string& sentence);
  void CheckOrder();
  void CheckBegin(TxnId id, const Frontier& frontier);
  Frontier Pass(TxnId id, const Frontier& frontier) const;
  // What whoever begins after its end has to see: of one that only reads, the newest that it saw.
  Place Shown(TxnId id) const;
  static std::vector<Version>::const_iterator FirstAfter(const std::vector<Version>& versions,
                                                         int64_t timestamp);
  void LogMissed(TxnId id, const Frontier& frontier);
  TxnId FindWriter(KeyId key, int64_t value);

  bool Writes(TxnId id) const;
  Place PlaceOf(TxnId id) const { return {timestamps_[id], !Writes(id)}; }
  std::string Name(KeyId key) const { return KeyName(history_.keys()[key]); }
  std::string Describe(TxnId id) const;  // "T7 (timestamp 30)".

  const History& history_;
  const Level order_;
  AnomalyLog* const log_;
  OperationsByKey operations_;
  std::vector<int64_t> timestamps_;  // Of each transaction; kUntold if it has no place.
  std::vector<TxnId> serial_;        // Those that have, in their order.
  std::vector<KeyState> keys_;
  absl::btree_map<TxnId, Window> unknown_;
  absl::flat_hash_map<std::pair<KeyId, int64_t>, TxnId> unknown_writes_;
  // All writes, the first of each value; filled when a read is wrong.
  absl::flat_hash_map<std::pair<KeyId, int64_t>, TxnId> writers_;
};

}  // namespace checker

#endif  // WORKLOAD_CHECKER_TIMESTAMP_CHECK_H_
