// Attempt: an attempt of a transaction as a shard's leader is asked for it, and under which ballot it
// got its locks there (TX-EPOCH). None: it has none yet.
#ifndef TXN_ATTEMPT_H_
#define TXN_ATTEMPT_H_

#include <optional>

#include "paxos/kernel/ballot.h"
#include "txn/call_parts.h"
#include "txn/kernel/transaction_id.h"

namespace txn {

struct Attempt {
  TransactionId id;
  Age age;
  std::optional<paxos::Ballot> ballot = {};
};

// That of a request of txn/service.proto.
template <typename Request>
Attempt AttemptOf(const Request& request) {
  Attempt attempt{.id = wire::Decode(request.id()), .age = wire::Decode(request.age())};
  if (request.has_ballot()) attempt.ballot = wire::Decode(request.ballot());
  return attempt;
}

}  // namespace txn

#endif  // TXN_ATTEMPT_H_
