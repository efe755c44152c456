// TransactionTruth: what a scenario of transactions knows about its whole cluster, and no node does.
#ifndef SIMULATION_TRANSACTION_TRUTH_H_
#define SIMULATION_TRANSACTION_TRUTH_H_

#include <map>
#include <memory>
#include <vector>

#include "runtime/simulated/universe.h"
#include "simulation/host_node.h"
#include "txn/shard_map.h"
#include "workload/transaction_journal.h"
#include "workload/transaction_workload.h"

namespace simulation {

struct TransactionTruth {
  TransactionTruth(simulated::Universe* universe, bool clocks_lie)
      : journal({.true_time = [universe] { return universe->true_time(); },
                 .wrong = [universe](absl::string_view sentence) { universe->Fail(sentence); },
                 .trace =
                     [universe](absl::string_view sentence) {
                       if (universe->tracing()) universe->Trace(sentence);
                     },
                 .clocks_lie = clocks_lie}) {}
  TransactionTruth(const TransactionTruth&) = delete;
  TransactionTruth& operator=(const TransactionTruth&) = delete;

  Foundings beginning;
  std::vector<txn::ShardLocation> shards;  // That of group i + 1 is at i.
  workload::TransactionJournal journal;
  std::unique_ptr<workload::TransactionWorkload> workload;
  // What there has to be in the beginning has been written: clients may begin.
  bool open = false;
  // They start nothing new any more.
  bool quiet = false;
};

}  // namespace simulation

#endif  // SIMULATION_TRANSACTION_TRUTH_H_
