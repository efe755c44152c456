// Serving: what the serving side of one node consists of. Outlives the server.
#ifndef RUNTIME_REAL_SERVING_H_
#define RUNTIME_REAL_SERVING_H_

#include <cstddef>

#include "runtime/network.h"
#include "runtime/real/call_slots.h"
#include "runtime/real/message_handlers.h"
#include "runtime/real/method_table.h"
#include "runtime/real/network_metrics.h"
#include "runtime/real/stamps.h"

namespace real {

struct Serving {
  runtime::NodeId self;
  CallSlots* slots;
  MethodTable* methods;
  MessageHandlers* messages;
  Stamps* stamps;
  NetworkMetrics* metrics;
  // Of replies on the shared lane: so much goes in one batch, and while more than `queue_bytes_max`
  // wait for one peer nothing more is read from it.
  size_t queue_bytes_max;
  size_t batch_bytes_max;
};

}  // namespace real

#endif  // RUNTIME_REAL_SERVING_H_
