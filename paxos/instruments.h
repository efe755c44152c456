// What a host and its groups count, for all groups together.
#ifndef PAXOS_INSTRUMENTS_H_
#define PAXOS_INSTRUMENTS_H_

#include "runtime/metrics.h"

namespace paxos {

struct Instruments {
  explicit Instruments(runtime::Metrics& metrics);

  runtime::Gauge& groups;
  runtime::Gauge& leaders;
  runtime::Counter& leads_gained;
  runtime::Counter& leads_lost;
  runtime::Counter& proposals;
  runtime::Counter& proposals_refused;
  runtime::Counter& applied;
  runtime::Counter& messages_sent;
  runtime::Counter& messages_received;
  runtime::Counter& messages_dropped;
  runtime::Counter& messages_bad;
  runtime::Counter& saves;
  runtime::Counter& save_failures;
  runtime::Counter& fetched;
  runtime::Counter& snapshots_given;
  runtime::Counter& snapshots_installed;
  runtime::Counter& states_lost;
  runtime::Counter& cuts;
  runtime::Counter& collected;
  runtime::LatencyHistogram& commit_time;
};

}  // namespace paxos

#endif  // PAXOS_INSTRUMENTS_H_
