// ClockExchange: asks other nodes what time it is, so that clocks are compared also where nobody
// else calls (TT-CONTRADICTION).
//
// Why calls:   the answer's stamp bounds its sender's claim from both sides, since it is younger than
//              the call; what comes by itself, as a heartbeat does, bounds it from one side. Only
//              claims of both sides name a liar, or clear one: without calls of its own, a node that
//              was found outside would hear no majority that takes it back.
// Cost:        one small call to each peer in `each_within`, evenly spread.
// Place:       one per node, beside its TrueTime, whose owner makes both; on the loop where it is
//              made. The TrueTime is to be the network's ClockStamper.
#ifndef TRUETIME_CLOCK_EXCHANGE_H_
#define TRUETIME_CLOCK_EXCHANGE_H_

#include <cstddef>
#include <vector>

#include "runtime/network.h"
#include "runtime/task.h"
#include "runtime/task_scope.h"
#include "runtime/time.h"
#include "runtime/world.h"

namespace truetime {

struct ClockExchangeOptions {
  // Well below PeerClocksOptions::forget_after.
  runtime::Duration each_within{5'000'000'000};
  runtime::Duration call_timeout{1'000'000'000};
};

class ClockExchange {
 public:
  // Begins to answer. `world` outlives it.
  ClockExchange(runtime::World* world, ClockExchangeOptions options);

  // The nodes to ask, from now on; this node may be among them.
  void SetPeers(std::vector<runtime::NodeId> peers);
  // Begins to ask. Close() comes before the destructor, unless the node crashes.
  void Start();
  runtime::Task<void> Close();

 private:
  runtime::Task<void> AskInTurn();
  runtime::Task<void> Ask(runtime::NodeId peer);

  runtime::World& world_;
  const ClockExchangeOptions options_;
  std::vector<runtime::NodeId> peers_;
  size_t next_ = 0;
  runtime::Network::Registration answering_;
  runtime::TaskScope scope_;
};

}  // namespace truetime

#endif  // TRUETIME_CLOCK_EXCHANGE_H_
