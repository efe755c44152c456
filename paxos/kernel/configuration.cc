#include "paxos/kernel/configuration.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/check.h"
#include "runtime/status_macros.h"

namespace paxos {
namespace {

absl::Status Refuse(const std::string& why) { return absl::InvalidArgumentError(why); }

}  // namespace

Configuration::Configuration(std::vector<Member> members, ReplicaId next_replica)
    : members_(std::move(members)), next_replica_(next_replica) {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) { return a.replica < b.replica; });
  CountVoters();
}

Configuration Configuration::Initial(const std::vector<runtime::NodeId>& nodes) {
  std::vector<Member> members;
  uint32_t id = 0;
  for (const runtime::NodeId node : nodes) members.push_back({ReplicaId(++id), node, true});
  Configuration configuration(std::move(members), ReplicaId(id + 1));
  CHECK(configuration.Validate().ok()) << configuration;
  return configuration;
}

const Member* Configuration::Find(ReplicaId replica) const {
  for (const Member& member : members_) {
    if (member.replica == replica) return &member;
  }
  return nullptr;
}

const Member* Configuration::FindNode(runtime::NodeId node) const {
  for (const Member& member : members_) {
    if (member.node == node) return &member;
  }
  return nullptr;
}

bool Configuration::IsVoter(ReplicaId replica) const {
  const Member* const member = Find(replica);
  return member != nullptr && member->voter;
}

bool Configuration::HasMajority(const std::set<ReplicaId>& replicas) const {
  size_t count = 0;
  for (const Member& member : members_) count += member.voter && replicas.contains(member.replica);
  return count >= majority();
}

absl::Status Configuration::AddLearner(runtime::NodeId node) {
  if (const Member* const member = FindNode(node)) {
    return Refuse(absl::StrCat("node ", node.value(), " is a member already, as replica ",
                               member->replica.value()));
  }
  if (members_.size() >= kMembersMax) {
    return Refuse(absl::StrCat("a group has at most ", kMembersMax, " members"));
  }
  members_.push_back({next_replica_, node, false});
  next_replica_ = ReplicaId(next_replica_.value() + 1);
  return absl::OkStatus();
}

absl::Status Configuration::Promote(ReplicaId learner) {
  for (Member& member : members_) {
    if (member.replica != learner) continue;
    if (member.voter) return Refuse(absl::StrCat("replica ", learner.value(), " is a voter"));
    member.voter = true;
    CountVoters();
    return absl::OkStatus();
  }
  return Refuse(absl::StrCat("replica ", learner.value(), " is not a member"));
}

absl::Status Configuration::Remove(ReplicaId replica) {
  if (Find(replica) == nullptr) {
    return Refuse(absl::StrCat("replica ", replica.value(), " is not a member"));
  }
  if (IsVoter(replica) && voters_ == 1) {
    return Refuse(absl::StrCat("replica ", replica.value(), " is the only voter"));
  }
  std::erase_if(members_, [replica](const Member& member) { return member.replica == replica; });
  CountVoters();
  return absl::OkStatus();
}

absl::Status Configuration::CheckStepTo(const Configuration& next) const {
  RETURN_IF_ERROR(next.Validate());
  if (next.next_replica_ < next_replica_) return Refuse("replica ids are never given twice");
  size_t steps = 0;
  for (const Member& member : members_) {
    const Member* const then = next.Find(member.replica);
    if (then == nullptr || then->voter != member.voter) ++steps;
    if (then != nullptr && then->node != member.node) return Refuse("a replica never moves");
    if (then != nullptr && member.voter && !then->voter) return Refuse("a voter is never demoted");
  }
  for (const Member& member : next.members_) {
    if (Find(member.replica) != nullptr) continue;
    ++steps;
    if (member.voter) return Refuse("a new member begins as a learner");
    if (member.replica < next_replica_) return Refuse("replica ids are never given twice");
  }
  if (steps > 1) return Refuse("members change one at a time");
  return absl::OkStatus();
}

absl::Status Configuration::Validate() const {
  if (voters_ == 0) return Refuse("a group needs a voter");
  if (members_.size() > kMembersMax) return Refuse("too many members");
  std::set<runtime::NodeId> nodes;
  ReplicaId last;
  for (const Member& member : members_) {
    if (member.replica <= last) return Refuse("replica ids are above 0 and differ");
    last = member.replica;
    if (member.node == runtime::NodeId() || !nodes.insert(member.node).second) {
      return Refuse("each member has a node of its own");
    }
  }
  if (next_replica_ <= last) return Refuse("the next replica id was given already");
  return absl::OkStatus();
}

void Configuration::CountVoters() {
  voters_ = static_cast<size_t>(std::count_if(members_.begin(), members_.end(),
                                              [](const Member& member) { return member.voter; }));
}

std::ostream& operator<<(std::ostream& out, const Configuration& configuration) {
  const char* separator = "";
  for (const Member& member : configuration.members_) {
    out << separator << (member.voter ? "" : "learner ") << member.replica << "@" << member.node;
    separator = ", ";
  }
  return out;
}

}  // namespace paxos
