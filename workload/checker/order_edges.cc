// The order that a database promises: of the transactions of a process, and of all in real time.
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "workload/checker/graph.h"

namespace checker {

bool Precedes(const Transaction& first, const Transaction& second, Level level) {
  if (level == Level::kPlain || !PrecedesInRealTime(first, second)) return false;
  return level == Level::kRealTime || first.process == second.process;
}

void AddProcessOrder(const History& history, DependencyGraph* graph) {
  // Of each process, the last transactions that precede its next one: one, and stale reads since.
  absl::flat_hash_map<int64_t, std::vector<TxnId>> last;
  for (TxnId id = 0; id < history.transactions().size(); ++id) {
    const Transaction& transaction = history.transaction(id);
    if (transaction.outcome == Outcome::kFail) continue;
    std::vector<TxnId>& before = last[transaction.process];
    if (!transaction.stale) {
      for (const TxnId earlier : before) {
        graph->Add(earlier, id, EdgeKind::kOrder, Level::kProcess, 0);
      }
      // What has no known end precedes nothing, so what precedes it still precedes the next.
      if (transaction.outcome == Outcome::kOk) before.clear();
    }
    if (transaction.outcome == Outcome::kOk) before.push_back(id);
  }
}

void AddRealTimeOrder(const History& history, DependencyGraph* graph) {
  struct Event {
    TxnId id;
    bool is_end;
  };
  std::vector<Event> events(history.event_count(), Event{kNoTxn, false});
  for (TxnId id = 0; id < history.transactions().size(); ++id) {
    const Transaction& transaction = history.transaction(id);
    if (transaction.outcome == Outcome::kFail) continue;
    events[transaction.begun] = {id, false};
    if (transaction.outcome == Outcome::kOk) events[transaction.ended] = {id, true};
  }
  // The waypoint that all lead to which have ended, and from which all begin that begin now.
  NodeId now = kNoTxn;
  bool begun_since = true;
  for (const Event& event : events) {
    if (event.id == kNoTxn) continue;
    if (event.is_end) {
      if (begun_since) {
        const NodeId next = graph->AddWaypoint();
        if (now != kNoTxn) graph->AddOnward(now, next);
        now = next;
        begun_since = false;
      }
      graph->Add(event.id, now, EdgeKind::kOrder, Level::kRealTime, 0);
    } else if (now != kNoTxn && !history.transaction(event.id).stale) {
      graph->AddOnward(now, event.id);
      begun_since = true;
    }
  }
}

}  // namespace checker
