// Node: one node of a benchmark: a real world with one loop, a clock that is declared right, a host
// of groups, and whatever they are for: by default they keep rows (put_machine.h).
//
// Made and ended by a thread that runs no loop; in between, tasks run on its loop by
// world().RunUntilDone().
#ifndef TESTS_BENCH_PAXOS_NODE_H_
#define TESTS_BENCH_PAXOS_NODE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "paxos/host.h"
#include "runtime/real/real_world.h"
#include "tests/bench/paxos/tenant.h"
#include "truetime/fixed_source.h"
#include "truetime/truetime.h"

namespace bench {

class Node {
 public:
  // Listens on `port`; 0: a free one. Its files are in `directory`, which is there.
  static absl::StatusOr<std::unique_ptr<Node>> Make(runtime::NodeId id, int port,
                                                    std::string directory,
                                                    TenantFactory make_tenant = nullptr);
  ~Node();  // Closes it.
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Where its peers are: node and port.
  void Connect(const std::map<runtime::NodeId, int>& ports);
  // Opens the host on what is in the directory.
  absl::Status Open();
  // Closes it again; the world goes on.
  void Close();

  runtime::NodeId id() const { return world_->node(); }
  real::RealWorld& world() { return *world_; }
  // Null while it is closed. Of the node's loop.
  paxos::Host* host() { return host_.get(); }
  Tenant* tenant() { return tenant_.get(); }
  // The width of its clock's interval is twice that, from the next reading on. Any thread.
  void SetEpsilon(runtime::Duration epsilon);
  // Whether it has taken effect. Any thread.
  bool HasEpsilon(runtime::Duration epsilon) const;
  std::string store_directory() const;

 private:
  Node(std::unique_ptr<real::RealWorld> world, std::string directory, TenantFactory make_tenant);
  static runtime::Task<absl::Status> OpenHost(Node* node);
  static runtime::Task<void> CloseHost(Node* node);
  paxos::HostOptions Options() const;

  const std::unique_ptr<real::RealWorld> world_;
  const std::string directory_;
  const TenantFactory make_tenant_;
  truetime::FixedSource* source_ = nullptr;  // Of truetime_.
  std::unique_ptr<truetime::TrueTime> truetime_;
  std::unique_ptr<Tenant> tenant_;
  std::unique_ptr<paxos::Host> host_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_NODE_H_
