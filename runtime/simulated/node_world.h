// NodeWorld: one simulated machine, and the World of the program that runs on it.
//
// The machine (clocks, time daemon, disk, its place in the network) stays; the program on it comes
// and goes. Each run of the program is an incarnation, with event loops, network endpoint, file
// handles, metrics of its own:
//
//   AddNode -> [running <-> paused] -- Crash --> down -- Restart --> [running <-> paused] ...
//
// Crash:       every task is destroyed at the co_await it stands on, then the program object, then
//              what else the incarnation held; nothing of it runs any more. Then the disk loses or
//              tears what was not synced.
// Lifetime:    references to loop(), network(), files(), blocking(), datagrams(), log() and
//              metrics() are good for one incarnation; all else as long as the universe.
// Control:     Crash() and the like may be called at any moment, also from the node's own code;
//              they take effect between two events. While the node is down its World parts must
//              not be asked for (CHECKed).
#ifndef RUNTIME_SIMULATED_NODE_WORLD_H_
#define RUNTIME_SIMULATED_NODE_WORLD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/simulated/clock_model.h"
#include "runtime/simulated/recorder.h"
#include "runtime/simulated/simulated_datagrams.h"
#include "runtime/simulated/simulated_disk.h"
#include "runtime/simulated/simulated_executor.h"
#include "runtime/simulated/simulated_network.h"
#include "runtime/simulated/time_daemon.h"
#include "runtime/world.h"

namespace simulated {

class Universe;

// What runs on a node: made on loop(0) at the start of each incarnation, destroyed there at its
// end.
class NodeProgram {
 public:
  virtual ~NodeProgram() = default;
};

using ProgramFactory = std::function<std::unique_ptr<NodeProgram>(runtime::World&)>;

struct NodeOptions {
  int loops = 1;
  // Without one the node runs whatever is posted to its loops.
  ProgramFactory program = {};
  ClockOptions clock = {};
  TimeDaemonOptions time_daemon = {};
  DiskOptions disk = {};
  NetworkLimits network = {};
  // How many pieces of blocking work may be under way.
  int blocking_threads = 4;
};

class NodeWorld final : public runtime::World {
 public:
  NodeWorld(Universe* universe, NodeId node, NodeOptions options, uint64_t seed);
  ~NodeWorld() override;
  NodeWorld(const NodeWorld&) = delete;
  NodeWorld& operator=(const NodeWorld&) = delete;

  // runtime::World.
  NodeId node() const override { return node_; }
  int loop_count() const override { return options_.loops; }
  runtime::Executor& loop(int index) override;
  runtime::Clocks& clocks() override { return clock_; }
  runtime::Network& network() override;
  runtime::Datagrams& datagrams() override;
  leveldb::Env& files() override;
  runtime::Blocking& blocking() override;
  runtime::Log& log() override;
  runtime::Metrics& metrics() override;
  runtime::Experiments& experiments() override;
  runtime::Random& random() override;

  // What a nemesis does to it.
  void Crash();
  // Starts a new incarnation, after a crash if it still runs.
  void Restart();
  // The program stands still while the world goes on; what reaches it meanwhile waits, in bounds.
  void Pause();
  void Resume();
  // The machine sleeps: a pause during which the oscillator stands still too.
  void Suspend();
  void Wake();

  bool running() const { return incarnation_ != nullptr; }
  bool paused() const { return paused_; }
  // Counts from 1; unchanged while the node is down.
  uint64_t incarnation() const { return incarnations_; }
  // What the factory made; null while the node is down and before loop(0) has run the factory.
  NodeProgram* program() const;

  ClockModel& clock() { return clock_; }
  SimulatedTimeDaemon& time_daemon() { return time_daemon_; }
  SimulatedDisk& disk() { return disk_; }
  // Other processes on the machine, that the node's program asks by datagram.
  DatagramHost& datagram_host() { return datagram_host_; }

 private:
  friend class Universe;
  struct Incarnation;

  void Start();
  std::vector<std::unique_ptr<SimulatedExecutor>> MakeLoops(uint64_t incarnation);
  void CrashNow();
  void SetPausedNow(bool paused);
  Incarnation& alive() const;
  void Record(const char* what);

  Universe& universe_;
  const NodeId node_;
  const NodeOptions options_;
  const uint64_t seed_;
  // What the node's monotonic clock says at virtual time zero.
  const Duration monotonic_start_;
  ClockModel clock_;
  SimulatedTimeDaemon time_daemon_;
  SimulatedDisk disk_;
  DatagramHost datagram_host_;
  uint64_t incarnations_ = 0;
  bool paused_ = false;
  std::unique_ptr<Incarnation> incarnation_;  // Null while the node is down.
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_NODE_WORLD_H_
