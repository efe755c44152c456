// Catching up: a replica that misses what is chosen asks other members for it; if their logs were
// cut above, it takes a snapshot (PX-SNAPSHOT).
//
// All of it is pulled, in unary calls, by the one who lags: a slow follower costs the others the
// answers it asks for, and no memory.
#ifndef PAXOS_CATCH_UP_H_
#define PAXOS_CATCH_UP_H_

#include "paxos/kernel/ballot.h"
#include "runtime/task.h"

namespace paxos {

class Group;

// Ends when `group` has all that one member, `first` if possible, had to give; or after a pause
// when none could give anything. The group outlives it.
runtime::Task<void> CatchUp(Group* group, ReplicaId first);

}  // namespace paxos

#endif  // PAXOS_CATCH_UP_H_
