// The errors of reads in a shard: one function each, which says who may try what again. They are
// refusals (refusal.h).
#ifndef TXN_ERRORS_H_
#define TXN_ERRORS_H_

#include "absl/status/status.h"
#include "txn/commands.h"

namespace txn {

// UNAVAILABLE: here, later. The replica has not restored its state yet.
absl::Status NoState(storage::GroupId group);
// UNAVAILABLE: here, once the safe time has reached `at`. Says how far it is behind.
absl::Status NotSafeYet(storage::GroupId group, Timestamp at, Timestamp safe);
// FAILED_PRECONDITION: at the group that has these keys now.
absl::Status NotInShard(storage::GroupId group, const KeyRange& range,
                        const ShardDescriptor& descriptor);

}  // namespace txn

#endif  // TXN_ERRORS_H_
