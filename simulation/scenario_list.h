// The entry points of the scenarios, one file each.
#ifndef SIMULATION_SCENARIO_LIST_H_
#define SIMULATION_SCENARIO_LIST_H_

#include "runtime/simulated/universe.h"

namespace simulation {

void RunTrueTimeScenario(simulated::Universe* universe);
void RunTrueTimeLiarScenario(simulated::Universe* universe);
void RunRuntimeScenario(simulated::Universe* universe);
void RunStorageScenario(simulated::Universe* universe);
void RunPaxosScenario(simulated::Universe* universe);
void RunPaxosReconfigScenario(simulated::Universe* universe);
void RunPaxosLiarScenario(simulated::Universe* universe);
void RunBankScenario(simulated::Universe* universe);
void RunAppendScenario(simulated::Universe* universe);
void RunRegisterScenario(simulated::Universe* universe);
void RunWriteSkewScenario(simulated::Universe* universe);
void RunLongForkScenario(simulated::Universe* universe);
void RunPhantomScenario(simulated::Universe* universe);
void RunExternalScenario(simulated::Universe* universe);
void RunTransactionLiarScenario(simulated::Universe* universe);

}  // namespace simulation

#endif  // SIMULATION_SCENARIO_LIST_H_
