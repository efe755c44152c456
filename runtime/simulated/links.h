// Links: what the network between the machines is like, for each ordered pair, and who is cut off.
//
// The nemesis bends it at any moment; what is sent from then on feels it. A pair that was not
// touched is like UniverseOptions::link.
#ifndef RUNTIME_SIMULATED_LINKS_H_
#define RUNTIME_SIMULATED_LINKS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "runtime/random.h"
#include "runtime/simulated/recorder.h"

namespace simulated {

// One direction between two machines.
struct LinkFaults {
  // A delay is delay_min plus an exponential draw of this mean.
  Duration delay_min = 50us;
  Duration delay_mean = 50us;
  // Of each message, request and reply: that it is lost.
  double loss = 0;
  // Of each one-way message: that it comes twice, and that it is overtaken by others.
  double duplication = 0;
  double reordering = 0;
  // How much later a duplicate or an overtaken message comes, at most.
  Duration straggle_max = 20ms;
  int64_t bytes_per_second = 1'250'000'000;
  // Nothing gets through in this direction.
  bool cut = false;
};

class Links {
 public:
  Links(LinkFaults standard, uint64_t seed) : standard_(standard), random_(seed) {}

  LinkFaults& link(NodeId from, NodeId to) { return Find(from, to).faults; }

  // Nodes of different groups do not reach each other. A node in no group reaches, and is reached
  // by, every other one. Replaces the partition before.
  void Partition(const std::vector<std::vector<NodeId>>& groups);
  // What is sent from now on stands still until `until`, and then goes on its way.
  void Clog(NodeId from, NodeId to, MonotonicTime until);
  // Ends the partition and makes every link as it was in the beginning.
  void Heal();

  bool Reaches(NodeId from, NodeId to);
  // The draws for one message.
  bool DrawLoss(NodeId from, NodeId to) { return random_.Chance(link(from, to).loss); }
  // From the moment that it was sent to the moment that it arrives.
  Duration DrawDelay(NodeId from, NodeId to, MonotonicTime now);
  Duration TransmissionTime(NodeId from, NodeId to, size_t bytes);
  runtime::Random& random() { return random_; }

  // Which connection of the pair is in use; what was sent on an older one never arrives.
  uint64_t connection(NodeId from, NodeId to) { return Find(from, to).connection; }
  void BreakConnection(NodeId a, NodeId b);

 private:
  struct Link {
    LinkFaults faults;
    MonotonicTime clogged_until;
    uint64_t connection = 0;
  };

  Link& Find(NodeId from, NodeId to);

  const LinkFaults standard_;
  runtime::Random random_;
  std::map<std::pair<NodeId, NodeId>, Link> links_;
  std::map<NodeId, size_t> group_of_;
};

}  // namespace simulated

#endif  // RUNTIME_SIMULATED_LINKS_H_
