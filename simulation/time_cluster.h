// A cluster of time nodes, and what the truetime scenarios ask of all of them.
#ifndef SIMULATION_TIME_CLUSTER_H_
#define SIMULATION_TIME_CLUSTER_H_

#include "runtime/simulated/universe.h"
#include "simulation/time_node.h"

namespace simulation {

// Adds nodes 1 to `count`, each a TimeNode with all others as peers. `watchers` outlives the
// universe's events.
void AddTimeNodes(simulated::Universe* universe, TimeWatchers* watchers, int count);

// The program of `node`, or its clock; null while it is down. CHECKs nothing: all nodes must be
// time nodes.
TimeNode* FindTimeNode(const simulated::NodeWorld& node);
truetime::TrueTime* FindTrueTime(const simulated::NodeWorld& node);

bool AllSynchronised(const simulated::Universe& universe);

}  // namespace simulation

#endif  // SIMULATION_TIME_CLUSTER_H_
