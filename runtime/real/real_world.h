// RealWorld: a node's World on this machine: threads, clocks, gRPC, files, standard error.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<RealWorld> world, RealWorld::Create(options));
//   absl::Status status = world->RunUntilDone(Serve(world.get()));
//
// Guarantees:  Create() gives a world whose loops run and whose port is open, or one sentence that
//              names what is wrong, with nothing left behind.
// End:         the destructor stops the loops wherever they stand, destroys the tasks that are left
//              on them, fails the calls under way with UNAVAILABLE and joins every thread. An owner
//              that wants its tasks to end in their own way closes their scopes first.
// Concurrency: Create, RunUntilDone and the destructor are for threads that run no loop; the rest
//              as in runtime/world.h. A process may hold several worlds, one per node.
#ifndef RUNTIME_REAL_REAL_WORLD_H_
#define RUNTIME_REAL_REAL_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/log.h"
#include "runtime/real/tls_options.h"
#include "runtime/task.h"
#include "runtime/when.h"
#include "runtime/world.h"

namespace real {

class GrpcNetwork;

enum class LogDestination { kNowhere, kStandardError, kFile };

struct RealWorldOptions {
  runtime::NodeId node{1};

  // How many event loops; 0: one per core.
  int loops = 0;
  // How many threads run what blocks.
  int helper_threads = 8;
  // Where every random number comes from; without it, from the operating system.
  std::optional<uint64_t> seed;

  // Where peers reach this node, "host:port"; port 0 takes a free one. Empty: it does not listen.
  std::string listen_address;
  TlsOptions tls;
  // Calls from other nodes beyond this many under way are refused with RESOURCE_EXHAUSTED.
  int calls_max = 10'000;
  // One-way messages waiting for one peer, and how much of them goes in one batch.
  size_t queue_bytes_max = size_t{16} << 20;
  size_t batch_bytes_max = size_t{1} << 20;

  LogDestination log = LogDestination::kStandardError;
  std::string log_file;  // For kFile.
  runtime::Severity log_minimum = runtime::Severity::kInfo;

  // Protocol rules to switch off, for a cluster that was started for experiments.
  std::vector<std::string> without_rules;
};

class RealWorld final : public runtime::World {
 public:
  static absl::StatusOr<std::unique_ptr<RealWorld>> Create(RealWorldOptions options);
  ~RealWorld() override;

  // The port this node listens on; 0 if it does not.
  int port() const;

  // Runs `task` on loop 0 and blocks until it ends.
  template <typename T>
  T RunUntilDone(runtime::Task<T> task) {
    std::optional<T> result;
    RunToEnd(runtime::internal::StoreResult(std::move(task), &result));
    return *std::move(result);
  }
  void RunUntilDone(runtime::Task<void> task) { RunToEnd(std::move(task)); }

  runtime::NodeId node() const override;
  int loop_count() const override;
  runtime::Executor& loop(int index) override;
  runtime::Clocks& clocks() override;
  runtime::Network& network() override;
  runtime::Datagrams& datagrams() override;
  leveldb::Env& files() override;
  runtime::Blocking& blocking() override;
  runtime::Log& log() override;
  runtime::Metrics& metrics() override;
  runtime::Experiments& experiments() override;
  runtime::Random& random() override;

 private:
  struct Parts;

  explicit RealWorld(std::unique_ptr<Parts> parts);

  static absl::StatusOr<std::unique_ptr<GrpcNetwork>> MakeNetwork(Parts* parts);
  void RunToEnd(runtime::Task<void> task);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace real

#endif  // RUNTIME_REAL_REAL_WORLD_H_
