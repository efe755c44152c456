#include "paxos/kernel/lease_count.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace paxos {

void LeaseCount::Count(ReplicaId voter, runtime::Timestamp expiry) {
  runtime::Timestamp& last = expiries_.try_emplace(voter, runtime::Timestamp::Min()).first->second;
  last = std::max(last, expiry);
}

runtime::Timestamp LeaseCount::End(const Configuration& configuration) const {
  std::vector<runtime::Timestamp> ends;
  for (const auto& [voter, expiry] : expiries_) {
    if (configuration.IsVoter(voter)) ends.push_back(expiry);
  }
  if (ends.size() < configuration.majority()) return runtime::Timestamp::Min();
  std::sort(ends.begin(), ends.end(), std::greater<>());
  return ends[configuration.majority() - 1];
}

}  // namespace paxos
