// Gateway: where transactions begin. Any node is one.
//
//   CO_ASSIGN_OR_RETURN(Timestamp s, co_await gateway.Run([](Transaction* t) { return Pay(t); }));
//
// Place:       one per node, on the loop where it was made; world, clock, map and shards outlive it.
// Routing:     by the map of shards, and by who was the leader last; redirects are followed.
// Retries:     a call that certainly did nothing is repeated with backoff and jitter until its
//              deadline; a commit is sent once, and then asked about (TX-ONCE). Run() tries an
//              aborted transaction again, with its age kept, so that it wins in the end.
// Alive:       tells the groups of its open transactions that they are (TX-ALIVE).
// Bounds:      on open transactions; more are refused with RESOURCE_EXHAUSTED when they first ask.
// Concurrency: one loop.
#ifndef TXN_GATEWAY_H_
#define TXN_GATEWAY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/task.h"
#include "runtime/time.h"
#include "storage/ids.h"
#include "txn/kernel/outcomes.h"
#include "txn/read_only.h"
#include "txn/transaction.h"

namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}

namespace txn {

class GatewayCore;
class ShardMap;
class ShardServer;

struct GatewayOptions {
  // A read, a commit, and whatever else is waited for, from its call on.
  runtime::Duration call_max = std::chrono::seconds(10);
  // One try of it at one node. A node that does not answer is passed by after that.
  runtime::Duration attempt_max = std::chrono::seconds(2);
  // Between two tries, at first; it doubles, with jitter, up to the other.
  runtime::Duration backoff_min = std::chrono::milliseconds(2);
  runtime::Duration backoff_max = std::chrono::milliseconds(200);
  // A read that has no answer after so long goes to a second replica as well.
  runtime::Duration hedge_after = std::chrono::milliseconds(20);
  // Attempts of Run().
  int attempts_max = 50;
  // Keep-alives, for as long as a transaction is open.
  runtime::Duration keep_alive_every = std::chrono::seconds(2);
  size_t transactions_max = 10'000;
  // What one transaction may write: keys and values, and a little for each. What it writes in one
  // group has to fit into one entry of that group's log.
  size_t write_bytes_max = 3 << 20;
};

class Gateway {
 public:
  // `local`: the shards of this node, which are asked without the network; may be null.
  Gateway(runtime::World* world, truetime::TrueTime* truetime, ShardMap* map, ShardServer* local,
          GatewayOptions options);
  // Close() has ended, or the node has crashed.
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // No transaction is left: what was begun has been destroyed.
  runtime::Task<void> Close();

  // `age`: of an earlier attempt that was aborted.
  std::unique_ptr<Transaction> Begin(std::optional<Age> age = std::nullopt);
  std::unique_ptr<ReadOnly> BeginReadOnly(ReadBound bound);

  // Runs `body`, and commits, again as long as that is aborted. An error of the body other than
  // ABORTED rolls back and is given. The commit timestamp.
  using Body = std::function<runtime::Task<absl::Status>(Transaction*)>;
  runtime::Task<absl::StatusOr<runtime::Timestamp>> Run(Body body);

  // How a transaction ended whose commit gave UNKNOWN (TX-ONCE), by its Transaction::coordinator().
  // Sees to it that it ends. OUT_OF_RANGE: too old to be known.
  runtime::Task<absl::StatusOr<Outcome>> Conclude(TransactionId id, storage::GroupId coordinator);

  const GatewayOptions& options() const;

 private:
  const std::unique_ptr<GatewayCore> core_;
};

}  // namespace txn

#endif  // TXN_GATEWAY_H_
