#include "simulation/membership_operator.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/experiments.h"
#include "runtime/sleep.h"
#include "simulation/paxos_node.h"

namespace simulation {
namespace {

using paxos::Member;
using runtime::NodeId;
using runtime::operator""s;

// "1:3:v 2:4:l".
std::vector<Member> ParseMembers(const std::string& text) {
  std::vector<Member> members;
  for (const auto word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(word, ':');
    uint32_t replica = 0;
    uint32_t node = 0;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &replica) ||
        !absl::SimpleAtoi(parts[1], &node)) {
      return {};
    }
    members.push_back({paxos::ReplicaId(replica), NodeId(node), parts[2] == "v"});
  }
  return members;
}

size_t Voters(const std::vector<Member>& members) {
  return static_cast<size_t>(
      std::count_if(members.begin(), members.end(), [](const Member& m) { return m.voter; }));
}

// Whether a voter lost its log, or its node is open without it: then it never comes back.
bool IsGone(const simulated::Universe& universe, const PaxosTruth& truth, storage::GroupId group,
            const Member& member) {
  if (truth.sent.IsLost(group, member.replica)) return true;
  const auto world = universe.nodes().find(member.node);
  const PaxosNode* const node =
      world == universe.nodes().end() ? nullptr : FindPaxosNode(*world->second);
  if (!member.voter || node == nullptr || node->host() == nullptr) return false;
  const std::shared_ptr<paxos::Group> here = node->host()->FindGroup(group);
  return here == nullptr || here->replica().self() != member.replica;
}

}  // namespace

MembershipOperator::MembershipOperator(simulated::Universe* universe, simulated::NodeWorld* world,
                                       PaxosTruth* truth, const bool* calm,
                                       MembershipOperatorOptions options)
    : universe_(*universe),
      world_(*world),
      truth_(*truth),
      calm_(*calm),
      options_(std::move(options)),
      client_(universe, world, truth, options_.client),
      scope_(world->loop(0)) {
  scope_.Spawn(Run());
}

bool MembershipOperator::Settled(const simulated::Universe& universe, const PaxosTruth& truth,
                                 storage::GroupId group, size_t voters) {
  const paxos::Configuration& configuration = truth.groups.at(group)->configuration();
  for (const Member& member : configuration.members()) {
    if (!member.voter || IsGone(universe, truth, group, member)) return false;
  }
  return configuration.voters() == voters;
}

runtime::Task<void> MembershipOperator::Run() {
  while (true) {
    const runtime::Duration rest = calm_ ? options_.rest / 4 : options_.rest;
    if (!(co_await runtime::SleepFor(world_.random().Exponential(rest))).ok()) co_return;
    const auto which = world_.random().Uniform(0, static_cast<int64_t>(truth_.groups.size()) - 1);
    co_await LookAfter(std::next(truth_.groups.begin(), which)->first);
  }
}

runtime::Task<void> MembershipOperator::LookAfter(storage::GroupId group) {
  const std::optional<RegisterReply> present = co_await client_.Ask(
      {.ask = RegisterAsk::kMembers, .group = group}, /*harmless=*/true, client_.Deadline());
  if (!present.has_value() || !present->ok) co_return;
  RegisterRequest request = Decide(group, ParseMembers(present->text));
  if (request.ask == RegisterAsk::kMembers) co_return;
  if (universe_.tracing()) {
    universe_.Trace(
        absl::StrCat("operator asks '", EncodeRequest(request), "' of members ", present->text));
  }
  const std::optional<RegisterReply> done =
      co_await client_.Ask(std::move(request), /*harmless=*/false, client_.Deadline());
  if (done.has_value() && done->ok) world_.experiments().Probe("simulation.members_changed");
}

RegisterRequest MembershipOperator::Decide(storage::GroupId group,
                                           const std::vector<Member>& members) {
  RegisterRequest repair = Repair(group, members);
  if (calm_ || repair.ask != RegisterAsk::kMembers) return repair;
  return Stir(group, members);
}

RegisterRequest MembershipOperator::Repair(storage::GroupId group,
                                           const std::vector<Member>& members) {
  RegisterRequest request{.ask = RegisterAsk::kMembers, .group = group};
  const Member* learner = nullptr;
  for (const Member& member : members) {
    if (IsGone(universe_, truth_, group, member)) {
      request.ask = RegisterAsk::kRemove;
      request.id = member.replica.value();
      return request;
    }
    if (!member.voter) learner = &member;
  }
  const size_t voters = Voters(members);
  if (learner != nullptr && (voters < options_.voters || calm_)) {
    request.ask = voters < options_.voters ? RegisterAsk::kPromote : RegisterAsk::kRemove;
    request.id = learner->replica.value();
  } else if (voters < options_.voters && !members.empty()) {
    const NodeId node = FreeNode(members);
    if (node == NodeId()) return request;
    request.ask = RegisterAsk::kAddLearner;
    request.id = node.value();
  } else if (voters > options_.voters && calm_) {
    const auto last = static_cast<int64_t>(members.size()) - 1;
    request.ask = RegisterAsk::kRemove;
    request.id = members[static_cast<size_t>(world_.random().Uniform(0, last))].replica.value();
  }
  return request;
}

RegisterRequest MembershipOperator::Stir(storage::GroupId group,
                                         const std::vector<Member>& members) {
  RegisterRequest request{.ask = RegisterAsk::kMembers, .group = group};
  if (members.empty()) return request;
  const auto last = static_cast<int64_t>(members.size()) - 1;
  const Member& some = members[static_cast<size_t>(world_.random().Uniform(0, last))];
  request.id = some.replica.value();
  if (world_.random().Chance(0.2)) {
    request.ask = RegisterAsk::kAbdicate;
  } else if (!some.voter) {
    request.ask = world_.random().Chance(0.7) ? RegisterAsk::kPromote : RegisterAsk::kRemove;
  } else if (Voters(members) > options_.voters) {
    request.ask = RegisterAsk::kRemove;
  } else if (const NodeId node = FreeNode(members); node != NodeId()) {
    request.ask = RegisterAsk::kAddLearner;
    request.id = node.value();
  }
  return request;
}

NodeId MembershipOperator::FreeNode(const std::vector<Member>& members) {
  std::vector<NodeId> free;
  for (const NodeId node : options_.client.nodes) {
    const auto has = [node](const Member& member) { return member.node == node; };
    if (std::none_of(members.begin(), members.end(), has)) free.push_back(node);
  }
  if (free.empty()) return {};
  const auto last = static_cast<int64_t>(free.size()) - 1;
  return free[static_cast<size_t>(world_.random().Uniform(0, last))];
}

}  // namespace simulation
