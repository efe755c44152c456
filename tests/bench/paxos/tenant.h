// Tenant: what runs on a node of a benchmark besides its clock and its host.
//
// Made, used and ended on the node's loop.
#ifndef TESTS_BENCH_PAXOS_TENANT_H_
#define TESTS_BENCH_PAXOS_TENANT_H_

#include <functional>
#include <memory>

#include "paxos/state_machine.h"
#include "runtime/task.h"

namespace paxos {
class Host;
}
namespace runtime {
class World;
}
namespace truetime {
class TrueTime;
}

namespace bench {

class Tenant {
 public:
  virtual ~Tenant() = default;

  // The state machines of the host that is to be opened.
  virtual paxos::StateMachineFactory Factory() = 0;
  virtual void HostOpened(paxos::Host* host) = 0;
  virtual runtime::Task<void> BeforeHostCloses() = 0;
  virtual runtime::Task<void> AfterHostClosed() = 0;
};

using TenantFactory = std::function<std::unique_ptr<Tenant>(runtime::World*, truetime::TrueTime*)>;

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_TENANT_H_
