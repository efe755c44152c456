// What members of a group ask each other by unary calls.
#ifndef PAXOS_CALLS_H_
#define PAXOS_CALLS_H_

#include "paxos/paxos.pb.h"
#include "runtime/rpc.h"

namespace paxos {

inline constexpr runtime::Method<isochron::paxos::FetchChosenRequest,
                                 isochron::paxos::FetchChosenReply>
    kFetchChosen{"/isochron.paxos.Member/FetchChosen"};

inline constexpr runtime::Method<isochron::paxos::FetchSnapshotRequest,
                                 isochron::paxos::FetchSnapshotReply>
    kFetchSnapshot{"/isochron.paxos.Member/FetchSnapshot"};

inline constexpr runtime::Method<isochron::paxos::JoinRequest, isochron::paxos::JoinReply> kJoin{
    "/isochron.paxos.Member/Join"};

}  // namespace paxos

#endif  // PAXOS_CALLS_H_
