// ReplicaContents: all that a replica of a shard holds, to be held against what the others do.
#ifndef SIMULATION_REPLICA_CONTENTS_H_
#define SIMULATION_REPLICA_CONTENTS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/view.h"

namespace simulation {

struct ReplicaContents {
  storage::Slot applied = {};
  runtime::Timestamp horizon = runtime::Timestamp::Min();
  // With their versions, newest first; the rows that are there now only.
  std::map<storage::Key, std::vector<storage::Version>> rows = {};
};

// May wait for the disk. UNAVAILABLE: nothing was applied.
absl::StatusOr<ReplicaContents> ReadContents(storage::View* view, const storage::KeyRange& range);

// In what two replicas differ that have applied the same: a sentence, or empty. What was overwritten
// at or below a horizon may be gone.
std::string Difference(const ReplicaContents& a, const ReplicaContents& b);

}  // namespace simulation

#endif  // SIMULATION_REPLICA_CONTENTS_H_
