// The settings of what a shard's leader does for transactions.
#ifndef TXN_SHARD_OPTIONS_H_
#define TXN_SHARD_OPTIONS_H_

#include <cstddef>

#include "runtime/time.h"
#include "txn/group_caller.h"
#include "txn/kernel/lock_conflict.h"
#include "txn/kernel/options.h"
#include "txn/shard_machine.h"

namespace txn {

struct ParticipantOptions {
  LockTableOptions locks;
  // For reasons (TX-WHY).
  KeyPrinter print_keys = PrintKeys;
  // Transactions that have locks here, and those that were ended lately and are remembered, so that
  // what comes late does not begin them anew.
  size_t transactions_max = 20'000;
  size_t ended_max = 20'000;
  // TX-ALIVE: of one that is silent for so long the locks are freed.
  runtime::Duration silence_max = std::chrono::seconds(10);
  // TX-READ-GUARD: how far ahead of now a guard reaches. A commit that takes longer aborts; read
  // locks whose transaction is heard of no more are kept as long.
  runtime::Duration guard_length = std::chrono::seconds(1);
  // Who is prepared and has heard nothing asks the coordinator's group after so long, and again.
  runtime::Duration inquire_after = std::chrono::seconds(1);
};

struct CoordinatorOptions {
  // For the reports of all participants.
  runtime::Duration reports_max = std::chrono::seconds(4);
  size_t commits_max = 10'000;
  // Outcomes that go to one participant in one message.
  size_t outcomes_per_message = 256;
  // Between two attempts to reach a participant.
  runtime::Duration resolve_pause = std::chrono::milliseconds(200);
  // What all participants have is forgotten so long after, together with what comes until then.
  runtime::Duration forget_every = std::chrono::milliseconds(200);
};

struct ShardServerOptions {
  ShardOptions machine;
  ParticipantOptions participant;
  CoordinatorOptions coordinator;
  GroupCallerOptions calls;
};

}  // namespace txn

#endif  // TXN_SHARD_OPTIONS_H_
