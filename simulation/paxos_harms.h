// The kinds of harm (nemesis.h) that are for nodes with Paxos groups.
#ifndef SIMULATION_PAXOS_HARMS_H_
#define SIMULATION_PAXOS_HARMS_H_

#include <vector>

#include "simulation/nemesis.h"
#include "simulation/paxos_truth.h"

namespace simulation {

// What moves leads about, planned or not. `universe` outlives them.
std::vector<Harm> LeadHarms(simulated::Universe* universe);

// Leads that move again and again, in the midst of whatever rests on them. `universe` outlives them.
std::vector<Harm> RestlessLeadHarms(simulated::Universe* universe);

// What destroys what is on a disk, of the machines in PaxosTruth::bad_disks only. `truth` outlives
// them.
std::vector<Harm> DamageHarms(simulated::Universe* universe, PaxosTruth* truth);

// Clocks beyond their bounds.
std::vector<Harm> LyingHarms(simulated::Universe* universe);

}  // namespace simulation

#endif  // SIMULATION_PAXOS_HARMS_H_
