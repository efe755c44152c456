#include "simulation/sent_messages.h"

#include <algorithm>
#include <sstream>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "paxos/codec.h"
#include "paxos/paxos.pb.h"
#include "runtime/simulated/universe.h"

namespace simulation {
namespace {

using paxos::Ballot;
using storage::GroupId;
using storage::Slot;

std::string Show(Ballot ballot) {
  std::ostringstream text;
  text << ballot;
  return text.str();
}

}  // namespace

void SentMessages::Fail(absl::string_view rule, GroupId group, paxos::ReplicaId replica,
                        absl::string_view what) {
  universe_.Fail(absl::StrCat(std::string(rule), ": replica ", replica.value(), " of group ",
                              group.value(), " ", std::string(what)));
}

void SentMessages::Sent(runtime::NodeId node, const std::string& batch) {
  paxos::wire::MessageBatch parsed;
  if (!parsed.ParseFromString(batch)) {
    return universe_.Fail(absl::StrCat("node ", node.value(), " sends what is no batch"));
  }
  for (paxos::wire::GroupMessage& wire : *parsed.mutable_messages()) {
    const GroupId group(wire.group());
    const absl::StatusOr<paxos::Message> message = paxos::DecodeMessage(&wire);
    if (!message.ok()) {
      return universe_.Fail(absl::StrCat("node ", node.value(), " sends what cannot be read: ",
                                         std::string(message.status().message())));
    }
    Note(node, group, *message);
  }
}

void SentMessages::Note(runtime::NodeId node, GroupId group, const paxos::Message& message) {
  Said& said = said_[{group, message.from}];
  if (said.lost) {
    return Fail("PX-DURABLE", group, message.from,
                absl::StrCat("says ", paxos::BodyName(message.body), " though its disk was lost"));
  }
  said.node = node;
  if (const auto* promise = std::get_if<paxos::Promise>(&message.body)) {
    said.promised = std::max(said.promised, promise->ballot);
  } else if (const auto* accept = std::get_if<paxos::Accept>(&message.body)) {
    Proposed(group, *accept);
  } else if (const auto* accepted = std::get_if<paxos::Accepted>(&message.body)) {
    said.promised = std::max(said.promised, accepted->ballot);
    for (uint64_t i = 0; i < accepted->count; ++i) {
      const Slot slot(accepted->first.value() + i);
      if (is_chosen_(group, slot)) continue;
      Ballot& ballot = said.accepted[slot];
      ballot = std::max(ballot, accepted->ballot);
    }
  }
}

void SentMessages::Proposed(GroupId group, const paxos::Accept& accept) {
  Slot slot = accept.first;
  for (const paxos::Entry& entry : accept.entries) {
    const auto [known, is_new] = proposed_[group].try_emplace({slot, accept.ballot}, entry);
    if (!is_new && !(known->second == entry)) {
      Fail("PX-ONE-VALUE", group, accept.ballot.replica,
           absl::StrCat("proposes two values in slot ", slot.value(), " of ballot ",
                        Show(accept.ballot)));
    }
    slot = Next(slot);
  }
}

void SentMessages::CameBack(GroupId group, const paxos::Replica& replica) {
  const auto found = said_.find({group, replica.self()});
  if (found == said_.end()) return;
  const Said& said = found->second;
  const Ballot promised = replica.hard_state().promised;
  if (promised < said.promised) {
    Fail("PX-DURABLE", group, replica.self(),
         absl::StrCat("came back with a promise of ", Show(promised), "; it had promised ",
                      Show(said.promised)));
  }
  const paxos::LogWindow& window = replica.window();
  for (auto next = said.accepted.upper_bound(window.base()); next != said.accepted.end(); ++next) {
    const auto& [slot, ballot] = *next;
    const paxos::AcceptedEntry* const held = window.Find(slot);
    if (held == nullptr || (held->ballot < ballot && !window.IsChosen(slot))) {
      Fail("PX-DURABLE", group, replica.self(),
           absl::StrCat("came back without what it had accepted in slot ", slot.value(),
                        " of ballot ", Show(ballot)));
    } else if (held->ballot == ballot) {
      const auto value = proposed_[group].find({slot, ballot});
      if (value == proposed_[group].end() || value->second == held->entry) continue;
      Fail("PX-CHECKSUM", group, replica.self(),
           absl::StrCat("came back with another value in slot ", slot.value()));
    }
  }
}

std::set<std::pair<GroupId, paxos::ReplicaId>> SentMessages::ReplicasOf(
    runtime::NodeId node) const {
  std::set<std::pair<GroupId, paxos::ReplicaId>> replicas;
  for (const auto& [id, said] : said_) {
    if (said.node == node && !said.lost) replicas.insert(id);
  }
  return replicas;
}

void SentMessages::Lost(GroupId group, paxos::ReplicaId replica, bool may_return) {
  if (may_return) {
    said_.erase({group, replica});
  } else {
    said_[{group, replica}].lost = true;
  }
}

bool SentMessages::IsLost(GroupId group, paxos::ReplicaId replica) const {
  const auto found = said_.find({group, replica});
  return found != said_.end() && found->second.lost;
}

}  // namespace simulation
