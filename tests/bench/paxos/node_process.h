// NodeProcesses: three nodes with a process each, and a client of theirs in this one. Here a node
// can be killed as the kernel would: between any two instructions.
//
// A child says where it listens by a call to its parent, which answers with all ports once it has
// heard from each. It is this very program, started as `isochron bench paxos-node`.
#ifndef TESTS_BENCH_PAXOS_NODE_PROCESS_H_
#define TESTS_BENCH_PAXOS_NODE_PROCESS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/real/real_world.h"
#include "tests/bench/paxos/folder.h"
#include "tests/cluster/child_process.h"

namespace bench {

class NodeProcesses {
 public:
  static constexpr int kNodes = 3;

  // Their files go below `parent`. They have one group, each a voter of it.
  static absl::StatusOr<std::unique_ptr<NodeProcesses>> Start(const std::string& parent);
  ~NodeProcesses();

  // Proposes a put until some node says that it is committed. The node that did.
  absl::StatusOr<runtime::NodeId> Put(runtime::Duration timeout);
  void Kill(runtime::NodeId node);
  // Starts a node that was killed again, on what it left; it listens where it did before.
  absl::Status Restart(runtime::NodeId node);

 private:
  explicit NodeProcesses(Folder folder);

  absl::Status StartChild(runtime::NodeId node);
  absl::Status WaitForAll();
  static runtime::Task<absl::StatusOr<std::string>> Joined(NodeProcesses* self,
                                                           runtime::NodeId node, std::string port);
  static runtime::Task<absl::Status> AllJoined(NodeProcesses* self);
  static runtime::Task<absl::StatusOr<runtime::NodeId>> PutWithin(NodeProcesses* self,
                                                                  runtime::Duration timeout);
  static runtime::Task<absl::StatusOr<runtime::NodeId>> PutSomewhere(NodeProcesses* self);
  static runtime::Task<void> StopServing(NodeProcesses* self);

  Folder folder_;
  std::unique_ptr<real::RealWorld> world_;
  std::map<runtime::NodeId, cluster::ChildProcess> children_;

  // Of the world's loop:
  std::map<runtime::NodeId, int> ports_;
  runtime::Event all_joined_;
  runtime::NodeId leader_{1};  // Who is asked first.
  std::optional<runtime::Network::Registration> serving_;
};

}  // namespace bench

#endif  // TESTS_BENCH_PAXOS_NODE_PROCESS_H_
