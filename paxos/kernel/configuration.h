// Configuration: who the members of a group are (PX-RECONFIG). It is chosen in the group's own log;
// the one chosen in slot c is in force from slot c + 1 on.
#ifndef PAXOS_KERNEL_CONFIGURATION_H_
#define PAXOS_KERNEL_CONFIGURATION_H_

#include <cstddef>
#include <ostream>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "paxos/kernel/ballot.h"
#include "runtime/strong_id.h"

namespace paxos {

struct Member {
  ReplicaId replica;
  runtime::NodeId node;
  bool voter = true;  // Otherwise a learner: it follows the log and counts for nothing.

  friend bool operator==(const Member&, const Member&) = default;
};

class Configuration {
 public:
  static constexpr size_t kMembersMax = 15;

  Configuration() = default;
  // `members` in any order. `next_replica` is above every id that was ever given.
  Configuration(std::vector<Member> members, ReplicaId next_replica);
  // A new group's: voters with the ids 1, 2, ... on `nodes`.
  static Configuration Initial(const std::vector<runtime::NodeId>& nodes);

  // Ascending by replica.
  const std::vector<Member>& members() const { return members_; }
  ReplicaId next_replica() const { return next_replica_; }
  const Member* Find(ReplicaId replica) const;  // Null if it is no member.
  const Member* FindNode(runtime::NodeId node) const;
  bool IsVoter(ReplicaId replica) const;
  size_t voters() const { return voters_; }
  size_t majority() const { return voters_ / 2 + 1; }
  // Whether those of `replicas` who are voters are a majority.
  bool HasMajority(const std::set<ReplicaId>& replicas) const;

  // The steps there are, each of one member, so that the majorities before and after meet.
  // INVALID_ARGUMENT with a sentence if it is none.
  absl::Status AddLearner(runtime::NodeId node);
  absl::Status Promote(ReplicaId learner);
  absl::Status Remove(ReplicaId replica);

  // OK if `next` is at most one such step away. What is read from disk and network is asked too.
  absl::Status CheckStepTo(const Configuration& next) const;
  absl::Status Validate() const;

  friend bool operator==(const Configuration&, const Configuration&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Configuration& configuration);

 private:
  void CountVoters();

  std::vector<Member> members_;
  ReplicaId next_replica_;
  size_t voters_ = 0;
};

}  // namespace paxos

#endif  // PAXOS_KERNEL_CONFIGURATION_H_
