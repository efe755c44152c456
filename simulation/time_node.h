// TimeNode: the smallest program that has a TrueTime. It keeps its clock, talks to its peers so
// that their intervals meet, and waits out commit after commit.
//
// The program of every node of the truetime scenarios; also a part of larger ones, which need its
// clock.
#ifndef SIMULATION_TIME_NODE_H_
#define SIMULATION_TIME_NODE_H_

#include <memory>
#include <vector>

#include "runtime/network.h"
#include "runtime/simulated/node_world.h"
#include "runtime/task_scope.h"
#include "simulation/time_watchers.h"
#include "truetime/truetime.h"

namespace simulation {

struct TimeNodeOptions {
  std::vector<runtime::NodeId> peers;  // The own node may be among them.
  truetime::TrueTimeOptions truetime;
  // From one commit, and one round of calls to all peers, to the next; exponentially distributed.
  runtime::Duration commit_every{std::chrono::milliseconds(700)};
  runtime::Duration round_every{std::chrono::milliseconds(500)};
};

class TimeNode final : public simulated::NodeProgram {
 public:
  // `world` and `watchers` outlive it.
  TimeNode(simulated::NodeWorld* world, TimeWatchers* watchers, TimeNodeOptions options);
  ~TimeNode() override;

  truetime::TrueTime& truetime() { return truetime_; }
  // How many rounds in which a majority of the peers answered have ended.
  uint64_t rounds() const { return rounds_; }
  // How many commits got a timestamp.
  uint64_t stamped() const { return stamped_; }

 private:
  // Takes a timestamp as a commit does, waits for it to pass, and says so to who knows the truth.
  runtime::Task<void> Commits();
  // Calls every peer again and again: the stamps on calls and replies are all the news there is.
  runtime::Task<void> Rounds();

  simulated::NodeWorld& world_;
  TimeWatchers& watchers_;
  const TimeNodeOptions options_;
  truetime::TrueTime truetime_;
  uint64_t rounds_ = 0;
  uint64_t stamped_ = 0;
  runtime::Network::Registration greeting_;
  runtime::TaskScope scope_;
};

}  // namespace simulation

#endif  // SIMULATION_TIME_NODE_H_
