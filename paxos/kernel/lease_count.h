// LeaseCount: the votes of a candidate or leader, and until when they last (PX-LEASE). The granter's
// side is Acceptor.
#ifndef PAXOS_KERNEL_LEASE_COUNT_H_
#define PAXOS_KERNEL_LEASE_COUNT_H_

#include <map>

#include "paxos/kernel/configuration.h"
#include "paxos/kernel/moment.h"

namespace paxos {

class LeaseCount {
 public:
  // `voter` gave or renewed its vote until `expiry`.
  void Count(ReplicaId voter, runtime::Timestamp expiry);

  // When the votes of a majority of `configuration` no longer last; Min() if there never was one.
  runtime::Timestamp End(const Configuration& configuration) const;

  // Whether a majority of votes is valid by the candidate's own count.
  bool Valid(const Configuration& configuration, const Moment& moment) const {
    return moment.now.latest < End(configuration);
  }

 private:
  std::map<ReplicaId, runtime::Timestamp> expiries_;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_LEASE_COUNT_H_
